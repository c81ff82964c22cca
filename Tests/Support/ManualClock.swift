public import Reactor

/// A clock that stands still until a test moves it.
public final class ManualClock: Sendable {
  private let now = Guarded(Instant(nanoseconds: 1_000_000_000))

  /// A clock at one second.
  public init() {}

  /// What a `Reactor` reads.
  public var read: @Sendable () -> Instant {
    let now = now
    return { now.withLock { $0 } }
  }

  /// Moves the clock. Call `Reactor.wake()` afterwards.
  public func advance(by duration: Duration) { now.withLock { $0 = $0 + duration } }
}
