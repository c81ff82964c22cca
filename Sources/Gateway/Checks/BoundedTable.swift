/// Values by their keys, at most so many: whatever came first makes room.
struct BoundedTable<Key: Hashable, Value> {
  private let limit: Int
  private var values: [Key: Value] = [:]
  /// The keys in the order in which they came; the oldest is replaced at `hand` when there are as many as may be.
  private var order: [Key] = []
  private var hand = 0

  /// One that has room for at least one.
  init(limit: Int) { self.limit = max(1, limit) }

  var count: Int { values.count }

  subscript(key: Key) -> Value? { values[key] }

  /// A key that is there already keeps its place in the order.
  mutating func keep(_ value: Value, of key: Key) {
    guard values.updateValue(value, forKey: key) == nil else { return }
    guard order.count == limit else { return order.append(key) }
    values[order[hand]] = nil
    order[hand] = key
    hand = (hand + 1) % limit
  }
}
