import Gateway
import Logging
import Reactor
import Support

/// What a live test works with: gateways, real services behind them, clients. All of it is ended with the test.
struct Rig {
  let cleanup: Cleanup

  /// Runs a test with a rig of its own.
  static func with(_ body: (Rig) async throws -> Void) async throws {
    try await Cleanup.with { try await body(Rig(cleanup: $0)) }
  }

  /// Starts a gateway with the services of that YAML, on a port of its own.
  func gateway(_ services: String, http: String = "", threads: Int = 2, grace: String = "10s") async throws -> LiveGateway {
    let yaml = """
      http:
        listen: ["127.0.0.1:0"]
        threads: \(threads)
      \(http.indented(by: 2))
      grace: \(grace)
      services:
      \(services.indented(by: 2))
      """
    let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
    let gateway = try await Gateway.start(configuration, logger: Rig.logger)
    let live = LiveGateway(gateway)
    cleanup.add { await live.stop() }
    return live
  }

  /// Starts a Python service of its own.
  func python() async throws -> PythonPeer {
    let peer = try await PythonPeer()
    cleanup.add { await peer.process.destroy() }
    return peer
  }

  /// Opens a socket that the test drives itself.
  func wire(_ socket: WireSocket) -> WireSocket {
    cleanup.add { await socket.close() }
    return socket
  }

  static let logger: Logger = {
    var logger = Logger(label: "live")
    logger.logLevel = .critical
    return logger
  }()
}

/// A gateway and a client for it.
final class LiveGateway: Sendable {
  let gateway: Gateway
  let http: HTTPClient
  private let isStopped = Guarded(false)

  init(_ gateway: Gateway) {
    self.gateway = gateway
    http = HTTPClient(port: gateway.addresses[0].port)
  }

  /// Stops it, once.
  func stop() async {
    let first = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    if first { await gateway.stop() }
  }

  /// Waits until each shard has a backend for the service: so many calls in a row, spread over the shards, find one.
  func isConnected(_ target: String, _ body: String = "[]") async throws {
    try await eventually("a backend behind \(target)") {
      for _ in 0..<8 where try await http.post(target, body).status == 503 { return false }
      return true
    }
  }
}

extension String {
  func indented(by count: Int) -> String {
    split(separator: "\n").map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
  }

  var bytes: [UInt8] { Array(utf8) }
}
