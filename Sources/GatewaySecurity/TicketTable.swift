package import Reactor

/// Words that are good for one use, for a short time, and what each stands for. Any thread may use it.
///
/// So many are given in the time for which one is good, used or not, and so many of them to one owner; then there are no more until the
/// oldest ends.
package final class TicketTable<Value: Sendable>: Sendable {
  private struct State {
    var values: [SecretDigest: Value] = [:]
    /// Digests in the order in which their tickets end.
    var order: [(digest: SecretDigest, owner: String, end: Instant)] = []
    /// How many of them have ended.
    var ended = 0
    /// How many of the others each owner has.
    var owned: [String: Int] = [:]

    mutating func forgetEnded(at now: Instant) {
      while ended < order.count, order[ended].end <= now {
        let (digest, owner, _) = order[ended]
        values[digest] = nil
        let rest = owned[owner, default: 1] - 1
        owned[owner] = rest == 0 ? nil : rest
        ended += 1
      }
      guard ended > 64, ended * 2 > order.count else { return }
      order.removeFirst(ended)
      ended = 0
    }
  }

  /// Why there is no ticket.
  package enum Refusal: Error {
    /// All are given.
    case all
    /// The owner has as many as one may have.
    case share
  }

  private let state = Guarded(State())
  /// The most that are given in that time.
  package let limit: Int
  /// The most of them that one owner gets.
  package let share: Int
  /// For how long one is good.
  package let time: Duration

  package init(limit: Int, share: Int, for time: Duration) {
    (self.limit, self.share, self.time) = (limit, share, time)
  }

  /// How many count against the limit.
  package func count(at now: Instant) -> Int {
    state.withLock { state in
      state.forgetEnded(at: now)
      return state.order.count - state.ended
    }
  }

  /// A fresh ticket.
  package func issue(_ value: Value, to owner: String, at now: Instant) throws(Refusal) -> String {
    let ticket = APIKey.random("zgt_")
    return try state.withLock { state throws(Refusal) in
      state.forgetEnded(at: now)
      guard state.order.count - state.ended < limit else { throw .all }
      guard state.owned[owner, default: 0] < share else { throw .share }
      state.values[ticket.digest] = value
      state.order.append((ticket.digest, owner, now + time))
      state.owned[owner, default: 0] += 1
      return ticket.text
    }
  }

  /// What a ticket stands for, which is good no more from now on; nil when it was not good.
  package func redeem(_ ticket: UnsafeRawBufferPointer, at now: Instant) -> Value? {
    let digest = SecretDigest(of: ticket)
    return state.withLock { state in
      state.forgetEnded(at: now)
      return state.values.removeValue(forKey: digest)
    }
  }
}
