import Glibc

/// An endpoint to bind to, for which nothing has to be looked up any more.
package struct BindAddress: Sendable, Hashable {
  /// With the address of its host.
  package let endpoint: Endpoint
  /// As it was asked for.
  let asked: Endpoint

  /// For an endpoint that has no name; one that has libzmq looks up, on the thread that binds.
  package init(_ endpoint: Endpoint) { self.init(endpoint, asked: endpoint) }

  fileprivate init(_ endpoint: Endpoint, asked: Endpoint) {
    self.endpoint = endpoint
    self.asked = asked
  }
}

extension Endpoint {
  /// What to bind to: with the first address of its host, if that is a name, which is looked up beside the thread that waits. The names of
  /// network interfaces libzmq knows by itself. Throws `cancelled` when the task is cancelled meanwhile.
  package func bindAddress(ipv6: Bool) async throws(ZMQError) -> BindAddress {
    try await bindAddress(ipv6: ipv6, resolver: .shared)
  }

  func bindAddress(ipv6: Bool, resolver: Resolver) async throws(ZMQError) -> BindAddress {
    if !ipv6, isIPv6 {
      throw ZMQError(code: .noDevice, call: "bind to \(self), with the option ipv6 off")
    }
    guard let host = hostName, if_nametoindex(host) == 0, case .tcp(_, let port) = address else {
      return BindAddress(self)
    }
    let waiter = Waiter<Resolver.Answer?>()
    resolver.resolve(host) { waiter.resume($0) }
    guard let answer = await waiter.wait(orIfCancelled: nil) else {
      throw ZMQError(code: .cancelled, call: "bind to \(self), by a cancelled task")
    }
    guard let found = answer.addresses.first(where: { ipv6 || !$0.contains(":") }) else {
      let reason = answer.addresses.isEmpty ? answer.reason : "it has only IPv6 addresses, and the option ipv6 is off"
      throw ZMQError(code: .noDevice, call: "bind to \(self): \(reason)")
    }
    return BindAddress(Endpoint(host: found, port: port), asked: self)
  }
}

extension LoopSocket {
  /// Binds, and returns the endpoint with wildcards resolved. A host's name, unless it is an interface's, libzmq looks up meanwhile.
  @discardableResult
  public func bind(_ endpoint: Endpoint) throws(ZMQError) -> Endpoint { try bind(BindAddress(endpoint)) }
}
