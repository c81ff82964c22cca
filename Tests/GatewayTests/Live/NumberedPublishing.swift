import MessagePack
import Reactor
import Support

/// Publishes calls of the topic `a`, whose methods are numbers from 0 on, until it is told to end: the argument of the last one is true. The
/// next one waits until whoever reads them is not far behind.
struct NumberedPublishing: Sendable {
  private struct State {
    var published = 0
    var read = 0
    var isOver = false
  }

  private static let ahead = 16
  private let publisher: WireSocket
  private let state = Guarded(State())

  init(_ publisher: WireSocket) { self.publisher = publisher }

  /// One more was read.
  func wasRead() { state.withLock { $0.read += 1 } }

  /// The next one is the last.
  func end() { state.withLock { $0.isOver = true } }

  /// Publishes; returns how many there were.
  func run() async throws -> Int {
    while true {
      try await eventually("the reader to follow") {
        state.withLock { $0.isOver || $0.published - $0.read < Self.ahead }
      }
      let (number, isLast) = state.withLock { state in
        defer { state.published += 1 }
        return (state.published, state.isOver)
      }
      try await publisher.publish("a", "\(number)", [.bool(isLast)])
      if isLast { return number + 1 }
    }
  }
}
