import Glibc

/// A time of day as `Date` has it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
struct HTTPDate: CustomStringConvertible {
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since the beginning of 1970.
  let seconds: Int

  static var now: HTTPDate { HTTPDate(seconds: time(nil)) }

  /// Names of days and months are English, whatever the process's locale is.
  var description: String {
    var (parts, seconds) = (tm(), seconds)
    gmtime_r(&seconds, &parts)
    func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(two(parts.tm_mday)) \(Self.months[Int(parts.tm_mon)]) \(1_900 + parts.tm_year)"
    let time = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    return "\(Self.days[Int(parts.tm_wday)]), \(day) \(time) GMT"
  }
}
