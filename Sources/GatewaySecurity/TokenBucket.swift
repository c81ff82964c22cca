package import Reactor
import Synchronization

/// How often something may be done: so often in a time, and so much of it at once.
package struct RateLimit: Hashable, Sendable {
  /// How long one token takes to come, in nanoseconds.
  package let interval: Int64
  /// As many tokens as a bucket holds.
  package let burst: Int

  /// `count` tokens come in each period, evenly. Rounded so that never more come than that.
  package init(_ count: Int, each period: Duration, burst: Int) {
    interval = (period.nanoseconds + Int64(count) - 1) / Int64(max(count, 1))
    self.burst = burst
  }

  /// In how many seconds an empty bucket is full again, rounded up.
  package var window: Int { (interval * Int64(burst)).secondsRoundedUp }
}

/// A token bucket that threads share: exact, without a lock. It is one number, the time at which the bucket is full again (the generic
/// cell rate algorithm, ITU-T I.371), which whoever takes tokens moves forward.
package final class TokenBucket: Sendable {
  /// How full the bucket is.
  package struct Level: Hashable, Sendable {
    /// Whether the tokens were taken that were asked for.
    package let isGranted: Bool
    /// Whole tokens that are left.
    package let remaining: Int
    /// In how many seconds the tokens that were asked for would be there, rounded up; 0 when they were.
    package let wait: Int
    /// In how many seconds the bucket is full again, rounded up.
    package let reset: Int
  }

  /// In nanoseconds of the monotonic clock; in the past, the bucket is full.
  private let fullAt = Atomic<Int64>(.min)

  package init() {}

  /// Whether nothing is known of it that a fresh one would not have.
  package func isFull(at now: Instant) -> Bool { fullAt.load(ordering: .relaxed) <= now.nanoseconds }

  /// Takes so many tokens, or none; 0 only looks. Of threads that take at once, each sees what the others have taken.
  package func take(_ count: Int, at now: Instant, _ limit: RateLimit) -> Level {
    let now = now.nanoseconds
    let depth = limit.interval * Int64(limit.burst)
    var seen = fullAt.load(ordering: .relaxed)
    while true {
      let next = max(seen, now) + limit.interval * Int64(count)
      guard next - now <= depth else {
        let level = max(seen, now) - now
        return Level(
          isGranted: false, remaining: Int(max(0, depth - level) / limit.interval),
          wait: (next - now - depth).secondsRoundedUp, reset: level.secondsRoundedUp)
      }
      let (isDone, other) =
        count == 0
        ? (true, seen) : fullAt.compareExchange(expected: seen, desired: next, ordering: .relaxed)
      if isDone {
        return Level(
          isGranted: true, remaining: Int((depth - (next - now)) / limit.interval), wait: 0,
          reset: (next - now).secondsRoundedUp)
      }
      seen = other
    }
  }
}

extension Int64 {
  fileprivate var secondsRoundedUp: Int { Int((self + 999_999_999) / 1_000_000_000) }
}
