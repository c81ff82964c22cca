import GatewaySecurity
import Reactor

/// Answers that hold for a while, at most so many; the oldest makes room.
struct KeptDecisions {
  struct Entry {
    let isAllowed: Bool
    /// Until when it holds.
    let until: Instant
  }

  private var entries: BoundedTable<SecretDigest, Entry>

  init(limit: Int) { entries = BoundedTable(limit: limit) }

  /// How many are kept, those included that hold no more.
  var count: Int { entries.count }

  /// The answer that holds.
  func find(_ key: SecretDigest, at now: Instant) -> Entry? {
    guard let entry = entries[key], now < entry.until else { return nil }
    return entry
  }

  mutating func keep(_ entry: Entry, of key: SecretDigest) { entries.keep(entry, of: key) }
}
