import CLinux

/// A point on the monotonic clock, in nanoseconds. It never jumps with the wall clock (`CLOCK_MONOTONIC`).
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the clock's own start.
  public var nanoseconds: Int64

  /// An instant that many nanoseconds after the clock's start.
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Now, read from the kernel.
  public static func monotonic() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// The instant after a duration; saturates at the end of the clock.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// The time from the second instant to the first.
  public static func - (later: Instant, earlier: Instant) -> Duration {
    .nanoseconds(later.nanoseconds - earlier.nanoseconds)
  }
}

extension Duration {
  /// Whole nanoseconds; saturates at ±292 years.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carry ? (seconds < 0 ? .min : .max) : sum
  }

  /// Whole milliseconds, a part of one counted as one: what a wait must not fall short of. Saturates as ``nanoseconds``.
  package var millisecondsRoundedUp: Int64 {
    let (whole, part) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return part > 0 ? whole + 1 : whole
  }

  /// Whole milliseconds, what is left of one not counted. Saturates as ``nanoseconds``.
  package var millisecondsRoundedDown: Int64 { nanoseconds / 1_000_000 }

  /// That many hours.
  package static func hours(_ count: Int) -> Duration { .seconds(3_600 * count) }
}
