/// A span of time in whole microseconds, as Python's `datetime.timedelta`.
public struct PythonTimeDelta: Hashable, Sendable {
  /// -999,999,999 to 999,999,999. It alone can be negative.
  public let days: Int
  /// 0 ..< 86,400.
  public let seconds: Int
  /// 0 ..< 1,000,000.
  public let microseconds: Int

  /// The sum of the three, of which any may be negative or large. Nil beyond 999,999,999 days.
  public init?(days: Int = 0, seconds: Int = 0, microseconds: Int = 0) {
    let (carry, microseconds) = microseconds.quotientAndFloorRemainder(dividingBy: 1_000_000)
    let (whole, isTooLong) = seconds.addingReportingOverflow(carry)
    let (more, seconds) = whole.quotientAndFloorRemainder(dividingBy: 86_400)
    let (days, areTooMany) = days.addingReportingOverflow(more)
    guard !isTooLong, !areTooMany, (-999_999_999...999_999_999).contains(days) else { return nil }
    (self.days, self.seconds, self.microseconds) = (days, seconds, microseconds)
  }

  /// Nil for one that is no whole number of microseconds, or is beyond 999,999,999 days.
  public init?(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let (microseconds, rest) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000)
    guard rest == 0 else { return nil }
    self.init(seconds: Int(seconds), microseconds: Int(microseconds))
  }

  /// The same as a duration of Swift, without loss.
  public var duration: Duration {
    .seconds(Int64(days) * 86_400 + Int64(seconds)) + .microseconds(Int64(microseconds))
  }
}

extension PythonTimeDelta: CustomStringConvertible {
  /// ISO 8601, such as `P1DT2H3M4.000005S`, with a `-` before all of it when it is negative.
  public var description: String {
    var (days, seconds, microseconds) = (days, seconds, microseconds)
    let negative = days < 0
    if negative {
      // -(d, s, us), brought back into the ranges that are not negative.
      (days, seconds, microseconds) = (-days, -seconds, -microseconds)
      if microseconds < 0 { (seconds, microseconds) = (seconds - 1, microseconds + 1_000_000) }
      if seconds < 0 { (days, seconds) = (days - 1, seconds + 86_400) }
    }
    var text = negative ? "-P" : "P"
    if days != 0 { text += "\(days)D" }
    var clock = ""
    if seconds >= 3600 { clock += "\(seconds / 3600)H" }
    if seconds / 60 % 60 != 0 { clock += "\(seconds / 60 % 60)M" }
    if seconds % 60 != 0 || microseconds != 0 {
      clock += "\(seconds % 60)"
      if microseconds != 0 {
        var fraction = microseconds.padded(6)
        while fraction.last == "0" { fraction.removeLast() }
        clock += ".\(fraction)"
      }
      clock += "S"
    }
    if clock.isEmpty, days == 0 { clock = "0S" }
    return clock.isEmpty ? text : "\(text)T\(clock)"
  }
}

extension PythonTimeDelta: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .timedelta(let delta)? = PickledDate(value) else { throw .needed("a timedelta of Python", not: value) }
    self = delta
  }
  public func asValue() -> Value { PickledDate.timedelta(self).value }
}
