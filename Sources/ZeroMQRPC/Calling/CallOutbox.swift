import Reactor

/// Calls on their way from the tasks that make them to the reactor.
// Safe to share although calls are not Sendable: who appends one does not touch it any more, and whoever takes it is on the reactor's thread.
final class CallOutbox: @unchecked Sendable {
  private let calls = Guarded<[AwaitedReply]>([])

  /// True when it is the first one since the last `take`.
  func append(_ call: AwaitedReply) -> Bool {
    // Safe: who hands it over does not touch it any more.
    nonisolated(unsafe) let call = call
    return calls.withLock { calls in
      calls.append(call)
      return calls.count == 1
    }
  }

  /// Puts all into an array that is empty.
  func take(into others: inout [AwaitedReply]) { calls.withLock { swap(&$0, &others) } }
}
