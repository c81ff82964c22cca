import Reactor
import Synchronization

/// What servers show over TLS at present, and what has become of handshakes. Any thread may use it.
public final class TLSIdentity: Sendable {
  /// What has become of handshakes.
  public struct Record: Hashable, Sendable {
    /// How many connections have got through.
    public var completed = 0
    /// How many have not: they were refused, broke off, or took too long.
    public var failed = 0
  }

  private let guarded: Guarded<TLSCredentials>
  private let completed = Atomic<Int>(0)
  private let failed = Atomic<Int>(0)
  private let warnsAgain = Guarded((at: Instant(nanoseconds: .min), untold: 0))
  private static let betweenWarnings = Duration.seconds(10)

  /// Begins with these.
  public init(_ credentials: TLSCredentials) { guarded = Guarded(credentials) }

  /// What is shown to those who connect from now on; open connections go on.
  public var credentials: TLSCredentials {
    get { guarded.withLock { $0 } }
    set { guarded.withLock { $0 = newValue } }
  }

  /// Shows new ones in the place of those, and changes nothing when others are shown meanwhile.
  public func replace(_ former: TLSCredentials, with next: TLSCredentials) {
    guarded.withLock { if $0 === former { $0 = next } }
  }

  /// What has become of handshakes so far.
  public var record: Record {
    Record(completed: completed.load(ordering: .relaxed), failed: failed.load(ordering: .relaxed))
  }

  func hasCompleted() { completed.wrappingAdd(1, ordering: .relaxed) }

  /// Counts a handshake that failed. Returns how many have failed since that was told last, if it is to be told: whoever connects and
  /// fails again and again fills no log.
  func hasFailed(at now: Instant) -> Int? {
    failed.wrappingAdd(1, ordering: .relaxed)
    return warnsAgain.withLock { next in
      next.untold += 1
      guard now >= next.at else { return nil }
      defer { next = (now + Self.betweenWarnings, 0) }
      return next.untold
    }
  }
}
