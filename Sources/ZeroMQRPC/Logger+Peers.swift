import Logging
import ZeroMQ

/// What clients and services tell the operator in the same words.
extension Logger {
  /// A socket does not do what it has to.
  func report(_ error: ZMQError, endpoints: [Endpoint]) {
    self.error("a socket failed", metadata: ["endpoints": "\(Self.list(endpoints))", "error": "\(error)"])
  }

  /// A peer sends what is no message of the protocol. Not every one is told (see `PowerOfTwoCounter`), so that such a peer does not
  /// fill the log.
  func reportMalformed(_ count: Int, endpoints: [Endpoint]) {
    warning(
      "a message is not of the protocol and cannot be read",
      metadata: ["endpoints": "\(Self.list(endpoints))", "so-far": .stringConvertible(count)])
  }

  private static func list(_ endpoints: [Endpoint]) -> String {
    endpoints.map(\.description).joined(separator: " ")
  }
}
