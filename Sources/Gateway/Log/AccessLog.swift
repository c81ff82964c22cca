import Glibc

/// The lines of requests that have ended, on their way to standard error.
final class AccessLog: Sendable {
  /// What is told.
  let settings: Configuration.Log
  private let lines: LineQueue

  /// A log of requests; nil when none are told of.
  init?(_ settings: Configuration.Log, to descriptor: CInt = STDERR_FILENO) {
    guard settings.access || settings.slow != nil else { return nil }
    self.settings = settings
    lines = LineQueue(limit: settings.buffer, to: descriptor, name: "access-log") { [format = settings.format] count in
      let sentence = "lines of requests are missing: standard error is read too slowly"
      return switch format {
      case .text: "\(WallTime.now) warning request: \(count) \(sentence)\n"
      case .json: #"{"time":"\#(WallTime.now)","level":"warning","message":"\#(sentence)","count":\#(count)}"# + "\n"
      }
    }
  }

  /// How many lines have been dropped.
  var dropped: Int { lines.dropped }

  /// Takes whole lines, so many of them.
  func append(_ lines: UnsafeRawBufferPointer, count: Int) { self.lines.append(lines, count: count) }

  /// Writes what is left, as far as it is taken within a moment. Nothing is appended any more.
  func close() { lines.flush() }
}
