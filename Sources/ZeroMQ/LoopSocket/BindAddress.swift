import Glibc

extension Endpoint {
  /// The endpoint to bind to: with the first address of its host, if that is a name, since libzmq would look it up on the thread that
  /// binds. The names of network interfaces it knows by itself.
  package func withAddress(ipv6: Bool) async throws(ZMQError) -> Endpoint {
    try await withAddress(ipv6: ipv6, resolver: .shared)
  }

  func withAddress(ipv6: Bool, resolver: Resolver) async throws(ZMQError) -> Endpoint {
    guard let host = hostName, if_nametoindex(host) == 0, case .tcp(_, let port) = address else { return self }
    let answer = await withCheckedContinuation { continuation in
      resolver.resolve(host) { continuation.resume(returning: $0) }
    }
    guard let found = answer.addresses.first(where: { ipv6 || !$0.contains(":") }) else {
      let reason = answer.addresses.isEmpty ? answer.reason : "it has only IPv6 addresses, and the option ipv6 is off"
      throw ZMQError(code: .noDevice, call: "bind to \(self): \(reason)")
    }
    return Endpoint(host: found, port: port)
  }
}
