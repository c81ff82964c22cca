import Reactor

/// What the balancer keeps of an endpoint: its connection, and whether it gets calls.
struct BackendMember {
  var connection: BackendConnection
  var breaker: Breaker
  /// The fresh connection that takes over as soon as it stands.
  var replacement: BackendConnection?
  var lastReplaced: Instant?
}
