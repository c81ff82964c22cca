public import ZeroMQ

extension CallEngine {
  /// Begins to connect to those of the endpoints that it does not connect to already; they get calls when they are connected. Throws when
  /// one cannot be used at all.
  public func connect(_ endpoints: [Endpoint], weights: [Endpoint: Int] = [:]) throws(ZMQError) {
    for endpoint in endpoints where !balancer.endpoints.contains(endpoint) {
      try balancer.connect(endpoint, weight: weights[endpoint] ?? 1)
    }
  }

  /// Sends no more calls to any endpoint that it connects to but these, which get those weights. The connections to the others are closed
  /// when their last call has ended.
  public func disconnect(allBut endpoints: [Endpoint], weights: [Endpoint: Int] = [:]) {
    for endpoint in balancer.endpoints {
      if endpoints.contains(endpoint) {
        balancer.weigh(endpoint, weights[endpoint] ?? 1)
      } else {
        _ = balancer.leave(endpoint)
      }
    }
    hasRoom()
  }
}
