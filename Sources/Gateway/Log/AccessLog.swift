import CLinux
import Glibc
import Reactor

/// The lines of requests that have ended, on their way to standard error. Shards hand lines over and go on; a thread beside them writes. What
/// does not fit into the buffer, because standard error is read too slowly, is dropped, counted, and told of where it is missing.
final class AccessLog: Sendable {
  private struct State {
    var lines: [UInt8] = []
    /// The memory of lines that have been written, while nothing is.
    var spare: [UInt8] = []
    var isWriting = false
    var dropped = 0
    /// Those of them that the log tells of already.
    var toldDropped = 0
  }

  /// What is told.
  let settings: Configuration.Log
  private let descriptor: CInt
  private let state = Guarded(State())
  private let queue = BackgroundQueue(name: "access-log")

  /// How long a line may wait for others to be written with.
  private static let pause = Duration.milliseconds(20)
  /// So many bytes arrive in one piece when several write to one pipe.
  private static let piece = Int(PIPE_BUF)

  /// A log of requests; nil when none are told of.
  init?(_ settings: Configuration.Log, to descriptor: CInt = STDERR_FILENO) {
    guard settings.access || settings.slow != nil else { return nil }
    self.settings = settings
    self.descriptor = descriptor
  }

  /// How many lines have been dropped.
  var dropped: Int { state.withLock { $0.dropped } }

  /// Takes whole lines, so many of them.
  func append(_ lines: UnsafeRawBufferPointer, count: Int) {
    let starts = state.withLock { state -> Bool in
      guard state.lines.count + lines.count <= settings.buffer else {
        state.dropped += count
        return false
      }
      state.lines.append(contentsOf: lines)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if starts { queue.add { self.write() } }
  }

  /// Writes what is left, as far as it is taken within a moment. Nothing is appended any more.
  func close() {
    // Whoever ends the program does not wait for who reads nothing.
    for _ in 0..<10 where state.withLock({ $0.isWriting }) { usleep(10_000) }
  }

  private func write() {
    // Two buffers take turns: one is filled while the other is written. Both are kept, for to grow them anew costs more than to write.
    var batch: [UInt8] = []
    state.withLock { swap(&$0.spare, &batch) }
    while true {
      usleep(UInt32(Self.pause.nanoseconds / 1_000))
      let dropped = state.withLock { state in
        swap(&state.lines, &batch)
        defer { state.toldDropped = state.dropped }
        return state.dropped - state.toldDropped
      }
      write(batch[...])
      if dropped > 0 { write(Self.loss(of: dropped, as: settings.format)[...]) }
      batch.removeAll(keepingCapacity: true)
      let isOver = state.withLock { state in
        state.isWriting = !state.lines.isEmpty
        if !state.isWriting { swap(&state.spare, &batch) }
        return !state.isWriting
      }
      if isOver { return }
    }
  }

  /// What stands in the place of lines that were dropped.
  private static func loss(of count: Int, as format: Configuration.Log.Format) -> [UInt8] {
    let sentence = "lines of requests are missing: standard error is read too slowly"
    let line =
      switch format {
      case .text: "\(WallTime.now) warning request: \(count) \(sentence)\n"
      case .json: #"{"time":"\#(WallTime.now)","level":"warning","message":"\#(sentence)","count":\#(count)}"# + "\n"
      }
    return Array(line.utf8)
  }

  /// Writes lines in pieces that do not mix with those of others.
  private func write(_ lines: ArraySlice<UInt8>) {
    var rest = lines
    while !rest.isEmpty {
      var end = min(rest.endIndex, rest.startIndex + Self.piece)
      if end < rest.endIndex, let last = rest[..<end].lastIndex(of: 0x0A) { end = last + 1 }
      var piece = rest[..<end]
      while !piece.isEmpty {
        let count = piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        // There is no other place to tell that nobody reads the log.
        guard count > 0 else { return }
        piece = piece.dropFirst(count)
      }
      rest = rest[end...]
    }
  }
}
