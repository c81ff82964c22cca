import Logging
import ZeroMQ

/// What clients and services tell the operator in the same words.
extension Logger {
  /// A peer came, went, or cannot be reached.
  func report(_ event: ConnectionEvent, connected: Int, endpoints: [Endpoint]) {
    var metadata: Metadata = ["endpoints": "\(Self.list(endpoints))", "connected": "\(connected)"]
    switch event {
    case .connected: info("peer connected", metadata: metadata)
    case .disconnected: info("peer disconnected", metadata: metadata)
    case .refused: error("peer refused the credentials, or its own were refused", metadata: metadata)
    case .unresolved(let host, let reason):
      metadata["host"] = "\(host)"
      metadata["reason"] = "\(reason)"
      warning("a host's name has no address; it is looked up again", metadata: metadata)
    case .unreached(let endpoint, let isResolving):
      metadata["endpoint"] = "\(endpoint)"
      warning(
        isResolving
          ? "no connection: the host's name is still being looked up; check the name server"
          : "no connection: nobody answers at that endpoint; it is tried again",
        metadata: metadata)
    case .duplicate(let endpoint, let other):
      metadata["endpoint"] = "\(endpoint)"
      metadata["other"] = "\(other)"
      warning("two endpoints lead to one address, and share one connection; remove one of them", metadata: metadata)
    case .connectedToItself(let endpoint):
      metadata["endpoint"] = "\(endpoint)"
      warning(
        "a connection to this process itself is dropped: nobody listens at that port, and the kernel took it for the other end",
        metadata: metadata)
    }
  }

  /// A socket does not do what it has to.
  func report(_ error: ZMQError, endpoints: [Endpoint]) {
    self.error("a socket failed", metadata: ["endpoints": "\(Self.list(endpoints))", "error": "\(error)"])
  }

  /// A peer sends what is no message of the protocol. Not every one is told (see `PowerOfTwoCounter`), so that such a peer does not
  /// fill the log.
  func reportMalformed(_ count: Int, endpoints: [Endpoint]) {
    warning(
      "a message is not of the protocol and is dropped",
      metadata: ["endpoints": "\(Self.list(endpoints))", "so-far": "\(count)"])
  }

  private static func list(_ endpoints: [Endpoint]) -> String {
    endpoints.map(\.description).joined(separator: " ")
  }
}
