import Reactor

/// Replies that came in one turn of the reactor. Their tasks are woken together at its end: one by one, each would find the threads of
/// Swift's pool asleep again.
final class AnsweredCalls: EndOfTurn {
  private var answered: [(call: UnsafeContinuation<Reply, any Error>, reply: Reply)] = []

  func add(_ call: UnsafeContinuation<Reply, any Error>, _ reply: Reply) { answered.append((call, reply)) }

  func endTurn() -> Instant? {
    for (call, reply) in answered { call.resume(returning: reply) }
    answered.removeAll(keepingCapacity: true)
    return nil
  }
}
