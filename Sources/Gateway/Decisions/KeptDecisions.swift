import GatewaySecurity
import Reactor

/// Answers that hold for a while, at most so many; the oldest makes room.
struct KeptDecisions {
  struct Entry {
    let isAllowed: Bool
    /// Until when it holds.
    let until: Instant
  }

  let limit: Int
  private var entries: [SecretDigest: Entry] = [:]
  /// Their keys in the order in which they came; the oldest is replaced at `hand` when there are as many as may be.
  private var order: [SecretDigest] = []
  private var hand = 0

  init(limit: Int) { self.limit = limit }

  /// How many are kept, those included that hold no more.
  var count: Int { entries.count }

  /// The answer that holds.
  func find(_ key: SecretDigest, at now: Instant) -> Entry? {
    guard let entry = entries[key], now < entry.until else { return nil }
    return entry
  }

  mutating func keep(_ entry: Entry, of key: SecretDigest) {
    guard entries.updateValue(entry, forKey: key) == nil else { return }
    guard order.count == limit else { return order.append(key) }
    entries[order[hand]] = nil
    order[hand] = key
    hand = (hand + 1) % limit
  }
}
