import Reactor

/// What the balancer keeps of an endpoint: its connection, the one that takes over from it, and whether it gets calls.
struct BackendMember {
  /// How long a connection lives at least before it is replaced: a backend that is merely slower than its callers' patience is not
  /// reconnected all the time.
  private static let betweenReplacements = Duration.seconds(1)

  private(set) var connection: BackendConnection
  /// The fresh connection that takes over as soon as it stands.
  private(set) var replacement: BackendConnection?
  var breaker: Breaker
  private var lastReplaced: Instant?

  init(_ connection: BackendConnection, _ breaker: Breaker) {
    self.connection = connection
    self.breaker = breaker
  }

  /// Whether a fresh connection may be opened beside its own.
  func mayBeReplaced(at now: Instant) -> Bool {
    replacement == nil && (lastReplaced.map { now - $0 >= Self.betweenReplacements } ?? true)
  }

  mutating func isReplaced(by fresh: BackendConnection, at now: Instant) {
    fresh.isSuspect = connection.isSuspect
    replacement = fresh
    lastReplaced = now
  }

  mutating func replacementStands() {
    connection = replacement.take() ?? connection
  }

  /// Notes on its connections, and on one that it had, whether their replies are waited for or are as good as any.
  func mark(_ former: BackendConnection) {
    for connection in [connection, replacement, former] { connection?.isSuspect = !breaker.isUnharmed }
  }
}
