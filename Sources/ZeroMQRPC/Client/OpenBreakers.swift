import Reactor
public import ZeroMQ

/// On how many threads the breaker of each endpoint is open, so that the operator is told once of what several threads notice. Any
/// thread may use it.
public final class OpenBreakers: Sendable {
  private let counts = Guarded<[Endpoint: Int]>([:])

  /// All are closed.
  public init() {}

  /// The endpoints that are left alone on some thread.
  public var endpoints: [Endpoint] { counts.withLock { Array($0.keys) } }

  /// One has opened; true when it is the endpoint's first.
  func opened(_ endpoint: Endpoint) -> Bool {
    counts.withLock { counts in
      counts[endpoint, default: 0] += 1
      return counts[endpoint] == 1
    }
  }

  /// One has closed; true when it was the endpoint's last.
  func closed(_ endpoint: Endpoint) -> Bool {
    counts.withLock { counts in
      let left = (counts[endpoint] ?? 1) - 1
      counts[endpoint] = left > 0 ? left : nil
      return left == 0
    }
  }
}
