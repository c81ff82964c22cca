import Gateway
import Logging

/// Writes each event of the log as a line of text, its time as the lines of requests have it.
struct TextLogHandler: LogHandler {
  let label: String
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var text = "\(WallTime.now) \(event.level) \(label):"
    let metadata = metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 })
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { text += " \(key)=\(value)" }
    Self.lines.append(EscapedLines.escaped("\(text) [\(event.source)] \(event.message)"))
  }

  /// Where they go. Who writes to the log waits for nobody.
  static let lines = LogLines { "\(WallTime.now) warning zmq-gateway: \($0) \(LogLines.loss)\n" }
}
