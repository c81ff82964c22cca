import CLinux
import Glibc
import Reactor

/// Lines on their way to standard error, or another descriptor. Any thread hands lines over and goes on; a thread beside them writes. What
/// does not fit into the buffer, because they are read too slowly, is dropped, counted, and told of where it is missing.
package final class LineQueue: Sendable {
  private struct State {
    var lines: [UInt8] = []
    /// The memory of lines that have been written, while nothing is.
    var spare: [UInt8] = []
    var isWriting = false
    var dropped = 0
    /// Those of them that are told of already.
    var toldDropped = 0
  }

  private let limit: Int
  private let descriptor: CInt
  private let loss: @Sendable (Int) -> String
  private let state = Guarded(State())
  private let queue: BackgroundQueue

  /// How long a line may wait for others to be written with.
  private static let pause = Duration.milliseconds(20)
  /// So many bytes arrive in one piece when several write to one pipe.
  private static let piece = Int(PIPE_BUF)

  /// A queue of at most `limit` bytes. `loss` is the line that stands in the place of so many that were dropped; its thread has that name, of at
  /// most 15 bytes.
  package init(
    limit: Int, to descriptor: CInt = STDERR_FILENO, name: String, loss: @escaping @Sendable (Int) -> String
  ) {
    self.limit = limit
    self.descriptor = descriptor
    self.loss = loss
    queue = BackgroundQueue(name: name)
  }

  /// How many lines have been dropped.
  package var dropped: Int { state.withLock { $0.dropped } }

  /// Takes whole lines, so many of them.
  package func append(_ lines: UnsafeRawBufferPointer, count: Int) {
    let starts = state.withLock { state -> Bool in
      guard state.lines.count + lines.count <= limit else {
        state.dropped += count
        return false
      }
      state.lines.append(contentsOf: lines)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if starts { queue.add { self.write() } }
  }

  /// Waits until all is written, at most two seconds; and no longer than a moment for who reads nothing.
  package func flush() {
    for round in 0..<200 where state.withLock({ $0.isWriting }) {
      if round >= 10, !hasRoom { return }
      usleep(10_000)
    }
  }

  /// Whether the descriptor takes something at once.
  private var hasRoom: Bool {
    var output = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&output, 1, 0) == 1
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
      if dropped > 0 { write(Array(loss(dropped).utf8)[...]) }
      batch.removeAll(keepingCapacity: true)
      let isOver = state.withLock { state in
        state.isWriting = !state.lines.isEmpty
        if !state.isWriting { swap(&state.spare, &batch) }
        return !state.isWriting
      }
      if isOver { return }
    }
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
