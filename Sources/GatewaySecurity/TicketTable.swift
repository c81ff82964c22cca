package import Reactor

/// Words that are good for one use, for a short time, and what each stands for. Any thread may use it.
///
/// So many are given in the time for which one is good, used or not; then there are no more until the oldest ends.
package final class TicketTable<Value: Sendable>: Sendable {
  private struct State {
    var values: [SecretDigest: Value] = [:]
    /// Digests in the order in which their tickets end.
    var order: [(digest: SecretDigest, end: Instant)] = []
    /// How many of them have ended.
    var ended = 0
  }

  private let state = Guarded(State())
  /// The most that are given in that time.
  package let limit: Int
  /// For how long one is good.
  package let time: Duration

  package init(limit: Int, for time: Duration) { (self.limit, self.time) = (limit, time) }

  /// How many count against the limit.
  package func count(at now: Instant) -> Int {
    state.withLock { state in
      Self.forgetEnded(&state, at: now)
      return state.order.count - state.ended
    }
  }

  /// A fresh ticket; nil when there are no more.
  package func issue(_ value: Value, at now: Instant) -> String? {
    let ticket = APIKey.random("zgt_")
    return state.withLock { state in
      Self.forgetEnded(&state, at: now)
      guard state.order.count - state.ended < limit else { return nil }
      state.values[ticket.digest] = value
      state.order.append((ticket.digest, now + time))
      return ticket.text
    }
  }

  /// What a ticket stands for, which is good no more from now on; nil when it was not good.
  package func redeem(_ ticket: UnsafeRawBufferPointer, at now: Instant) -> Value? {
    let digest = SecretDigest(of: ticket)
    return state.withLock { state in
      Self.forgetEnded(&state, at: now)
      return state.values.removeValue(forKey: digest)
    }
  }

  private static func forgetEnded(_ state: inout State, at now: Instant) {
    while state.ended < state.order.count, state.order[state.ended].end <= now {
      state.values[state.order[state.ended].digest] = nil
      state.ended += 1
    }
    guard state.ended > 64, state.ended * 2 > state.order.count else { return }
    state.order.removeFirst(state.ended)
    state.ended = 0
  }
}
