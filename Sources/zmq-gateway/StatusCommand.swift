import ArgumentParser
import FoundationEssentials
import Gateway
import HTTPServer

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Tell how a running gateway is; exit 0 when it is ready, or 69.",
    discussion:
      "It asks http.admin of the configuration, or the first address that `serve` listens on where operations have none of their own."
  )

  @Option(
    name: .shortAndLong,
    help:
      "The configuration that the gateway was started with. Default: what ZMQ_GATEWAY_CONFIG names, else gateway.yaml, if it is there."
  )
  var config: String?

  @Option(
    name: [.long, .customLong("admin")],
    help: "Ask there instead: http://host:port, https://host:port, or unix:/path; http:// may be left out.")
  var http: String?

  @Flag(help: "Print all of /status, as JSON.")
  var json = false

  func run() throws {
    let url = try url()
    var answer: [UInt8] = []
    let head: HTTPRequest.Head
    do {
      let request = HTTPRequest(verb: "GET", target: "/status", headers: [(name: "Accept", value: "application/json")])
      head = try request.send(to: url, within: .seconds(5)) { _, piece in
        answer += piece
        return true
      }
    } catch let unanswered as HTTPRequest.Unanswered {
      throw unanswered.exit(url)
    }
    guard head.isSuccess, let status = try? JSONDecoder().decode(Status.self, from: Data(answer)) else {
      throw fail("\(url) answers \(head.status): \(String(decoding: answer, as: UTF8.self))", .unavailable)
    }
    if json { print(String(decoding: answer, as: UTF8.self)) } else { status.lines.forEach { print($0) } }
    if status.state != "ready" { throw ExitCode.unavailable }
  }

  private func url() throws -> GatewayURL {
    do {
      if let http { return try GatewayURL(http) }
    } catch {
      throw ValidationError("--http: \(error)")
    }
    let settings =
      try (config ?? ConfigurationChoice.usual).map { try ConfigurationFile($0).load().http }
      ?? Configuration().http
    guard let address = settings.admin ?? settings.listen.first, address.port != 0 || address.isUnixSocket else {
      throw ValidationError("the configuration names no address with a port to ask; say where with --http")
    }
    let prefix = settings.admin == nil ? settings.prefix : ""
    // Its key is told only to whoever has the certificate of the host.
    let speaksTLS = (settings.admin == nil ? settings.tls : settings.tlsOfAdmin) != nil && !address.isUnixSocket
    guard speaksTLS else { return GatewayURL(address, prefix: prefix) }
    // At all addresses is at this machine's own, too.
    let isEverywhere = ["0.0.0.0", "::"].contains(address.host)
    return try GatewayURL("https://\(isEverywhere ? "localhost:\(address.port)" : "\(address)")\(prefix)")
  }

  /// What is read of `/status`.
  private struct Status: Decodable {
    struct Endpoint: Decodable {
      let role: String
      let endpoint: String?
      let state: String
      let breaker: String?
      let reason: String?
    }

    struct Limited: Decodable {
      let count: Int
      let limit: Int
    }

    struct Service: Decodable {
      let connected: Bool
      let endpoints: [Endpoint]
      let inFlight: Limited?
      let queued: Limited?
      let streams: Int?
    }

    struct Reload: Decodable {
      let at: String
      let result: String
      let error: String?
    }

    struct Configuration: Decodable { let last: Reload? }

    let version: String
    let uptime: Int
    let state: String
    let connections: Limited
    let services: [String: Service]
    let configuration: Configuration

    /// As people read it.
    var lines: [String] {
      var lines = [
        "zmq-gateway \(version): \(state), up \(uptime) s, \(connections.count) of \(connections.limit) connections"
      ]
      if let last = configuration.last {
        lines.append("last reload: \(last.result) at \(last.at)\(last.error.map { ": \($0)" } ?? "")")
      }
      for (name, service) in services.sorted(by: { $0.key < $1.key }) {
        var parts = [service.connected ? "connected" : "no connection"]
        if let calls = service.inFlight { parts.append("\(calls.count) of \(calls.limit) calls in flight") }
        if let queued = service.queued, queued.count > 0 { parts.append("\(queued.count) queued") }
        if let streams = service.streams { parts.append("\(streams) streams") }
        lines.append("\(name): \(parts.joined(separator: ", "))")
        for endpoint in service.endpoints {
          let fault = endpoint.reason.map { " (\($0))" } ?? ""
          let state = endpoint.breaker == "open" ? "breaker open" : endpoint.state
          lines.append("  \(endpoint.role) \(endpoint.endpoint ?? ""): \(state)\(fault)")
        }
      }
      return lines
    }
  }
}
