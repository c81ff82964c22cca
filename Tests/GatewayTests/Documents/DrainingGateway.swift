import Reactor
import Support

/// A gateway that was told to stop and waits for one slow call; some connections to it are open already.
final class DrainingGateway: Sendable {
  private let connections: Guarded<[HTTPConnection]>

  /// Tells the gateway to stop, and returns when it has begun to.
  init(_ gateway: LiveGateway, connections count: Int, _ cleanup: Cleanup) async throws {
    let http = gateway.http
    try await gateway.isConnected("/rpc/faulty/raise", #"["x"]"#)
    let slow = try http.begin(
      "POST", "/rpc/faulty/slow?_timeout=60", headers: ["Content-Type": "application/json"], body: "[]")
    var open: [HTTPConnection] = []
    for _ in 0..<count { open.append(try HTTPConnection(port: http.port)) }
    connections = Guarded(open)
    // Accepted in their order, so the slow call has arrived when the last connection is answered.
    let last = try HTTPConnection(port: http.port)
    last.send("GET", "/live")
    _ = try await offThread { try last.reply() }
    let stop = Task { await gateway.stop() }
    cleanup.add {
      slow.disconnect()
      await stop.value
    }
    try await eventually("the gateway to accept no more") {
      do { _ = try HTTPConnection(port: http.port) } catch { return true }
      return false
    }
  }

  /// A connection on which nothing was sent yet.
  func connection() throws -> HTTPConnection {
    guard let connection = connections.withLock({ $0.popLast() }) else { throw TimedOut("no connection is left") }
    return connection
  }
}
