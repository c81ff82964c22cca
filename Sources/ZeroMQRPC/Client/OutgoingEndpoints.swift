import Logging
import ZeroMQ

/// The endpoints that a socket connects to, which come and go while it is open. The states of the endpoints are told of both.
final class OutgoingEndpoints {
  private(set) var all: [Endpoint] = []
  private let socket: LoopSocket, states: EndpointStates, logger: Logger

  /// None yet.
  init(of socket: LoopSocket, _ states: EndpointStates, logger: Logger) {
    (self.socket, self.states, self.logger) = (socket, states, logger)
  }

  /// Begins to connect to those that are new. Throws when one cannot be used at all; those before it are connected to.
  func add(_ endpoints: [Endpoint]) throws(ZMQError) {
    for endpoint in endpoints where !all.contains(endpoint) {
      try socket.connect(endpoint)
      all.append(endpoint)
      states.joined(endpoint)
    }
  }

  /// Ends the connections to all but these, of which the states know under that holder.
  func removeAll(but endpoints: [Endpoint], of holder: AnyObject) {
    for endpoint in all where !endpoints.contains(endpoint) {
      all.removeAll { $0 == endpoint }
      states.left(endpoint, by: holder)
      do { try socket.disconnect(endpoint) } catch { logger.report(error, endpoints: [endpoint]) }
    }
  }
}
