/// Counts what may come by the thousand, and tells which of them are worth a line in the log: the first, second, fourth, eighth
/// and so on.
public struct PowerOfTwoCounter: Sendable, Hashable {
  /// How many there were.
  public private(set) var count = 0

  /// A counter at zero.
  public init() {}

  /// Counts one more; true when the count has become a power of two.
  public mutating func increment() -> Bool {
    count += 1
    return count.nonzeroBitCount == 1
  }
}
