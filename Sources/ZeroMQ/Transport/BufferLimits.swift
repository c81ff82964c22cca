/// At how many bytes a buffer's filler goes on, and beyond how many it pauses.
struct BufferLimits: Hashable {
  let low: Int
  let high: Int

  /// 16 KiB and 64 KiB.
  static let usual = BufferLimits(low: 16 << 10, high: 64 << 10)

  /// Nothing may wait.
  static let nothing = BufferLimits(low: 0, high: 0)

  private init(low: Int, high: Int) { (self.low, self.high) = (low, high) }

  /// Without `high` it is four times `low`, without `low` it is a quarter of `high`, without both they are the usual ones. Nil unless
  /// 0 <= low <= high.
  init?(high: Int?, low: Int?) {
    let (fourfold, overflows) = (low ?? Self.usual.low).multipliedReportingOverflow(by: 4)
    let upper = high ?? (overflows ? .max : fourfold)
    let lower = low ?? upper / 4
    guard lower >= 0, upper >= lower else { return nil }
    self.init(low: lower, high: upper)
  }
}
