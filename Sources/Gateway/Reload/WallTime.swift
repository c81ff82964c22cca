import Glibc

/// A moment as calendars tell it, to the millisecond.
public struct WallTime: Sendable, Hashable, CustomStringConvertible {
  /// Milliseconds since the beginning of 1970, in UTC.
  public let milliseconds: Int64

  /// The moment that is so long after the beginning of 1970.
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// This moment.
  public static var now: WallTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
  }

  /// Seconds since the beginning of 1970.
  var seconds: Double { Double(milliseconds) / 1_000 }

  /// As RFC 3339 writes it: `2026-11-29T23:15:59.042Z`.
  public var description: String {
    var seconds = time_t(milliseconds / 1_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: some BinaryInteger, _ count: Int = 2) -> String {
      let text = "\(number)"
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return "\(digits(parts.tm_year + 1_900, 4))-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))T"
      + "\(digits(parts.tm_hour)):\(digits(parts.tm_min)):\(digits(parts.tm_sec)).\(digits(milliseconds % 1_000, 3))Z"
  }
}
