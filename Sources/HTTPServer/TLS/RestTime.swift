import Reactor

/// The time that a client has for the last bytes, once nothing follows them: the write timeout, and more for what it takes. Who takes less
/// than 1 KiB a second uses it up.
struct RestTime {
  private static let nanosecondsPerByte = 976_563

  private let write: Duration
  /// When it is over; far away before it begins.
  private(set) var end = Instant(nanoseconds: .max)

  init(_ write: Duration) { self.write = write }

  var hasBegun: Bool { end.nanoseconds < .max }

  mutating func begin(at now: Instant) { end = now + write }

  /// The client has taken so many bytes.
  mutating func took(_ bytes: Int, at now: Instant) {
    guard hasBegun else { return }
    end = min(end + .nanoseconds(bytes * Self.nanosecondsPerByte), now + write)
  }
}
