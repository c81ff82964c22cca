public import Foundation
public import MessagePack

extension PythonTimeDelta {
  /// In seconds: to the microsecond up to 272 years, and beyond to what a `Double` has digits for. `duration` loses nothing.
  public var timeInterval: TimeInterval {
    // The whole is beyond 64 bits for the longest.
    let seconds = days * 86_400 + seconds
    let (total, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return isTooLong ? Double(seconds) : (Double(total + microseconds) / 1_000_000)
  }

  /// So many seconds, to the nearest microsecond: what is finer is lost. Throws beyond 999,999,999 days, and for what is no number.
  public init(timeInterval: TimeInterval) throws(ConversionError) {
    let seconds = timeInterval.rounded(.down)
    guard abs(seconds) < 1e15,
      let delta = PythonTimeDelta(
        seconds: Int(seconds), microseconds: Int(((timeInterval - seconds) * 1_000_000).rounded()))
    else { throw ConversionError(code: .value, message: "\(timeInterval) s is no timedelta of Python") }
    self = delta
  }
}
