/// How long things have taken: a count for each of some spans. A value without locks; those of several threads are added when somebody
/// looks.
package struct LatencyHistogram: Hashable, Sendable {
  /// The longest time of each span but the last, in nanoseconds: from 0.5 ms to 60 s.
  package static let bounds: [Int64] = [
    500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
    1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000,
  ]

  /// How many fell into each span; the last is of all that took longer.
  package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
  /// All of them together, in nanoseconds.
  package private(set) var total: Int64 = 0

  /// The latest exemplar of each span; empty while there are none.
  package private(set) var exemplars: [Exemplar?] = []

  /// Nothing so far.
  package init() {}

  /// How many there were.
  package var count: Int { counts.reduce(0, +) }

  /// Counts one. A time that equals a bound belongs to the span that ends there.
  package mutating func record(_ nanoseconds: Int64, as exemplar: Exemplar? = nil) {
    var (low, high) = (0, Self.bounds.count)
    while low < high {
      let middle = (low + high) / 2
      if nanoseconds <= Self.bounds[middle] { high = middle } else { low = middle + 1 }
    }
    counts[low] += 1
    total &+= max(0, nanoseconds)
    guard let exemplar else { return }
    if exemplars.isEmpty { exemplars = Array(repeating: nil, count: counts.count) }
    exemplars[low] = exemplar
  }

  /// Adds those of another one.
  package mutating func add(_ other: LatencyHistogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    total &+= other.total
    guard !other.exemplars.isEmpty else { return }
    if exemplars.isEmpty { exemplars = Array(repeating: nil, count: counts.count) }
    for (index, exemplar) in other.exemplars.enumerated() {
      guard let exemplar, exemplar.at > exemplars[index]?.at ?? 0 else { continue }
      exemplars[index] = exemplar
    }
  }
}

/// One of the things that a histogram has counted, by the trace that tells more of it.
package struct Exemplar: Hashable, Sendable {
  /// The trace: both halves of its id.
  package let traceHigh: UInt64, traceLow: UInt64
  /// How long it took.
  package let nanoseconds: Int64
  /// When it ended, in milliseconds since the beginning of 1970.
  package let at: Int64

  package init(traceHigh: UInt64, traceLow: UInt64, nanoseconds: Int64, at: Int64) {
    (self.traceHigh, self.traceLow, self.nanoseconds, self.at) = (traceHigh, traceLow, nanoseconds, at)
  }
}
