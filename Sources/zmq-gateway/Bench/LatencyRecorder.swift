/// Times in classes of an equal share: each is told as the longest of its class, which is at most 3 % more.
struct LatencyRecorder: Sendable {
  private static let subclasses = 32
  /// Up to nine hours.
  private static let doublings = 42
  private var counts = [Int](repeating: 0, count: doublings * subclasses)
  private(set) var count = 0
  private(set) var longest: Int64 = 0
  private var total: Int64 = 0

  /// Counts a time in nanoseconds.
  mutating func record(_ nanoseconds: Int64) {
    let nanoseconds = max(0, nanoseconds)
    counts[Self.place(nanoseconds)] += 1
    count += 1
    longest = max(longest, nanoseconds)
    total &+= nanoseconds
  }

  /// Adds those of another one.
  mutating func add(_ other: LatencyRecorder) {
    for place in counts.indices { counts[place] += other.counts[place] }
    count += other.count
    longest = max(longest, other.longest)
    total &+= other.total
  }

  var mean: Int64 { count == 0 ? 0 : total / Int64(count) }

  /// What this share of all times have not exceeded; 0 when there are none.
  func percentile(_ share: Double) -> Int64 {
    let wanted = max(1, Int((Double(count) * share).rounded(.up)))
    var seen = 0
    for place in counts.indices where counts[place] > 0 {
      seen += counts[place]
      if seen >= wanted { return min(longest, Self.bound(place)) }
    }
    return longest
  }

  /// How many times end at each doubling of 1 µs, from the first to the last that has any.
  var rows: [(bound: Int64, count: Int)] {
    var rows: [(bound: Int64, count: Int)] = []
    var bound: Int64 = 1_000
    var row = 0
    for place in counts.indices {
      while Self.bound(place) > bound {
        rows.append((bound, row))
        (bound, row) = (bound * 2, 0)
      }
      row += counts[place]
    }
    rows.append((bound, row))
    let first = rows.firstIndex { $0.count > 0 } ?? 0
    let last = rows.lastIndex { $0.count > 0 } ?? 0
    return Array(rows[first...last])
  }

  private static func place(_ nanoseconds: Int64) -> Int {
    guard nanoseconds >= subclasses else { return Int(nanoseconds) }
    let shift = 63 - nanoseconds.leadingZeroBitCount - 5
    return min(doublings - 1, shift + 1) * subclasses + Int((nanoseconds >> shift) & 31)
  }

  private static func bound(_ place: Int) -> Int64 {
    let (shift, rest) = (place / subclasses - 1, Int64(place % subclasses))
    return shift < 0 ? rest : ((rest + 33) << shift) - 1
  }
}
