import ZeroMQ

/// Endpoints that come and go while an engine runs.
extension CallEngine {
  /// Where it is bound, wildcards resolved.
  var bindings: [Endpoint] { balancer.bindings }

  /// Binds, for backends that connect, on a socket of its own. Returns the endpoint with wildcards resolved.
  func bind(_ endpoint: Endpoint) throws(ZMQError) -> Endpoint {
    try balancer.bind([endpoint])
    return balancer.bindings.last ?? endpoint
  }

  /// Begins to connect to an endpoint.
  func connect(_ endpoint: Endpoint) throws(ZMQError) { try balancer.connect(endpoint, weight: 1) }

  /// Ends what `connect` or `bind` has begun: no more calls go there, and those that were sent may still be answered. False when there is
  /// no such endpoint.
  func leave(_ endpoint: Endpoint) -> Bool { balancer.leave(endpoint) }
}
