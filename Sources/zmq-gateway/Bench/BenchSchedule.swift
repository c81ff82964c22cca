import Reactor
import Synchronization

/// When the calls of a load are due, for those who make them to take in turn.
///
/// In a closed loop each is due as soon as somebody has time for it; in an open one at its own time, whether anybody has or not, and its
/// latency is counted from there: a gateway that stalls is not spared the calls that it holds up.
final class BenchSchedule: Sendable {
  /// How long what is under way at the end of the time may take.
  static let patience: Int64 = 2_000_000_000

  private let begin = Instant.monotonic().nanoseconds
  private let end: Int64
  /// Between two calls; nil in a closed loop.
  private let interval: Double?
  private let taken = Atomic<Int>(0)

  init(seconds: Double, rate: Double?) {
    end = begin + Int64(seconds * 1_000_000_000)
    interval = rate.map { 1_000_000_000 / $0 }
  }

  /// When the next call is due, on the monotonic clock, perhaps in the past; nil when the time is over.
  func next() -> Int64? {
    let now = Instant.monotonic().nanoseconds
    guard let interval else { return now < end ? now : nil }
    let number = taken.wrappingAdd(1, ordering: .relaxed).oldValue
    let due = begin + Int64(Double(number) * interval)
    return due < end ? due : nil
  }

  /// When nothing is waited for any more, on the monotonic clock.
  var closing: Int64 { end + Self.patience }

  /// How long there is until then; at least a moment.
  var left: Duration { .nanoseconds(max(1_000_000, closing - Instant.monotonic().nanoseconds)) }

  /// Since the start; the whole time at least, as the last interval of a rate is one too.
  var elapsed: Double { Double(max(Instant.monotonic().nanoseconds, end) - begin) / 1_000_000_000 }
}
