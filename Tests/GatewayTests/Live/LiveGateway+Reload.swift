import Gateway
import Support

extension LiveGateway {
  /// Serves the service `s` with that under `subscribe` from now on, and with that beside it.
  func reload(
    subscribe: String, to endpoints: [String], beside more: String = ""
  ) async throws -> ReloadOutcome {
    let list = endpoints.map { "\"\($0)\"" }.joined(separator: ", ")
    let yaml = """
      http: { listen: ["127.0.0.1:0"], threads: 2 }
      auth: {}
      grace: 10s
      services:
        s:
          pattern: pubsub
      \(more.indented(by: 4))
          subscribe:
            connect: [\(list)]
      \(subscribe.indented(by: 6))
      """
    return try await gateway.reload(Configuration.load(yaml: yaml, file: "test.yaml"))
  }

  /// Waits until each of its shards answers so.
  func answers(_ target: String, _ status: Int) async throws {
    try await eventually("\(status) at \(target)") { try await http.get(target).status == status }
  }
}
