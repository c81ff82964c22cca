import Gateway
import Support

extension LiveGateway {
  /// A service that is always there.
  static let other = "other: { pattern: pipeline, connect: [\"ipc:///nowhere/other\"] }"

  /// A configuration to reload, with the services of that YAML.
  static func configuration(
    _ services: String, http: String = "", auth: String = "{}", limits: String = "{}"
  ) throws -> Configuration {
    let yaml = """
      http:
        listen: ["127.0.0.1:0"]
        threads: 2
      \(http.indented(by: 2))
      auth: \(auth)
      limits: \(limits)
      grace: 10s
      services:
      \(services.indented(by: 2))
      """
    return try Configuration.load(yaml: yaml, file: "test.yaml")
  }

  /// Serves that configuration from now on.
  @discardableResult
  func reload(
    _ services: String, http: String = "", auth: String = "{}", limits: String = "{}"
  ) async throws -> ReloadOutcome {
    try await gateway.reload(Self.configuration(services, http: http, auth: auth, limits: limits))
  }

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
