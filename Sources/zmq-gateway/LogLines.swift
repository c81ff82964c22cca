import Gateway

/// The lines of the log, which a thread beside all others writes to standard error: nobody may be held up because nobody reads there. What is
/// more than a mebibyte then is dropped, and told of in its place.
struct LogLines: Sendable {
  static let loss = "lines of the log are missing: standard error is read too slowly"
  private static let limit = 1 << 20

  private let queue: LineQueue

  /// `loss` makes the line that stands in the place of so many.
  init(loss: @escaping @Sendable (Int) -> String) { queue = LineQueue(limit: Self.limit, name: "log", loss: loss) }

  func append(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { queue.append(UnsafeRawBufferPointer($0), count: 1) }
  }

  /// Waits for a moment for what is left: the program ends.
  static func flush() {
    TextLogHandler.lines.queue.flush()
    JSONLogHandler.lines.queue.flush()
  }
}
