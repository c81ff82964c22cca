/// How many calls may be sent twice: a share of all that could be, saved up to a bound, so that a storm of losses does not double the
/// load. A value without I/O.
struct RetryBudget {
  private static let whole = 100
  private let percent: Int
  private let most: Int
  /// Hundredths of a call.
  private var saved: Int

  /// So many of a hundred calls, at most `burst` in a row; as many can be sent twice at first.
  init(percent: Int, burst: Int) {
    self.percent = percent
    most = burst * Self.whole
    saved = most
  }

  /// A call was made that may be sent twice.
  mutating func called() { saved = min(saved + percent, most) }

  /// Whether one may be sent twice now.
  var isEnough: Bool { saved >= Self.whole }

  /// One was sent twice.
  mutating func spend() { saved -= Self.whole }
}
