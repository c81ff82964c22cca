import FoundationEssentials
import Gateway
import Logging

/// Writes each event of the log as an object of JSON, on a line of its own.
struct JSONLogHandler: LogHandler {
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var members = ["time": "\(WallTime.now)", "level": event.level.rawValue, "message": event.message.description]
    // What every line has goes before what an event calls the same.
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) where members[key] == nil {
      members[key] = "\(value)"
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var line = try? encoder.encode(members) else { return }
    line.append(0x0A)
    line.withUnsafeBytes { StandardStream.error.write($0) }
  }
}
