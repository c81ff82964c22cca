import Demo
import Gateway
import HTTPServer
import Support

extension Rig {
  /// A gateway with that prefix in front of a demonstration of its own, when all of it is connected.
  static func demonstration(
    prefix: String, hosts: [String] = [], _ cleanup: Cleanup
  ) async throws -> LiveGateway {
    let demo = try await DemoServices.start(logger: logger)
    cleanup.add { await demo.stop() }
    var configuration = Configuration()
    configuration.http.listen = [.loopback(port: 0)]
    configuration.http.threads = 1
    configuration.http.prefix = prefix
    configuration.http.hosts = hosts
    configuration.services = await demo.services
    let gateway = LiveGateway(try await Gateway.start(configuration, logger: logger))
    cleanup.add { await gateway.stop() }
    try await eventually("all services to be connected") { try await gateway.http.get("\(prefix)/ready").status == 200 }
    try await eventually("calc to have described itself") {
      try await gateway.http.get("\(prefix)/openapi.json").body.contains("The sum of two numbers")
    }
    return gateway
  }

  /// The gateway for all tests that leave no trace: every pattern, in front of one Python service. It ends with the process.
  static let shared = Task { () -> LiveGateway in
    let peer = try await PythonPeer.shared.value
    let yaml = """
      http: { listen: ["127.0.0.1:0"], threads: 2 }
      services:
        math:
          pattern: rpc
          connect: ["\(peer.rpc)"]
          timeout: 10s
          max-timeout: 30s
          methods: { safe: [add, echo, echo_call, large, danger.*], hide: ["danger.hidden", "secret*"] }
        pairs:
          pattern: rpc
          connect: ["\(peer.rpc)"]
          json: { ints: string, nonfinite: string, keys: pairs }
        strict:
          pattern: rpc
          connect: ["\(peer.rpc)"]
          reply-limit: 1KiB
          json: { nonfinite: error }
          errors: { expose: class, map: { KeyError: 409, "peer.*": 418 } }
        jobs:
          pattern: pipeline
          connect: ["\(peer.pipeline)"]
          methods: { hide: ["secret"] }
        news:
          pattern: pubsub
          publish: { connect: ["\(peer.pubsub)"] }
          subscribe: { connect: ["\(peer.publish)"], retry: 2s }
      """
    let configuration = try Configuration.load(yaml: yaml, file: "shared.yaml")
    let live = LiveGateway(try await Gateway.start(configuration, logger: logger))
    for service in ["math", "pairs", "strict"] { try await live.isConnected("/rpc/\(service)/ping") }
    return live
  }

  /// A client of the shared gateway.
  static var http: HTTPClient {
    get async throws { try await shared.value.http }
  }
}
