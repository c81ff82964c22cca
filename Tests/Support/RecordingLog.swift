public import Logging
import Reactor

/// A log that keeps what is written to it.
public final class RecordingLog: Sendable {
  private let written = Guarded<[String]>([])

  /// One without lines.
  public init() {}

  /// A logger that writes here, from that level on.
  public func logger(_ level: Logger.Level = .debug) -> Logger {
    var logger = Logger(label: "recorded") { _ in Handler(log: self) }
    logger.logLevel = level
    return logger
  }

  /// Each message with its level before it and its metadata behind it, the keys in order: `debug: problem code=timeout`.
  public var lines: [String] { written.withLock { $0 } }

  private struct Handler: LogHandler {
    let log: RecordingLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      let pairs = all.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
      log.written.withLock { $0.append("\(event.level): \(event.message)\(pairs.joined())") }
    }
  }
}
