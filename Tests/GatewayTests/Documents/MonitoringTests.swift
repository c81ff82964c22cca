import Foundation
import Gateway
import GatewaySecurity
import HTTPServer
import Support
import Testing

/// What docs/ gives those who look after a gateway: metrics, alerts, a dashboard.
@Suite("The documents of monitoring", .inTurn(minutes: 3))
struct MonitoringTests {
  /// The metrics that a text names, without the suffixes of histograms.
  private static func metrics(_ text: String) -> Set<String> {
    Set(
      text.matches(of: /zmq_gateway_[a-z0-9_]+/).map { match in
        var name = String(match.output)
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) { name.removeLast(suffix.count) }
        return name
      })
  }

  @Test(
    "docs/metrics.md has each metric of a gateway that has all, and no other",
    .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
  func metrics() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let pair = try await TestAuthority(in: rig.directory).issue("server")
      let gateway = try await rig.gateway(
        """
        s: { pattern: rpc, connect: ["ipc:///nowhere/a"] }
        n: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/b"] } }
        """,
        http: "admin: \"127.0.0.1:0\"\ntls: { certificate: \(pair.certificate), key: \(pair.key) }",
        auth: "{ decision: { service: s }, " + rig.auth((key, "root", [])).dropFirst(),
        limits: "{ rate: 100/s }", more: "tracing: { otlp: \"http://127.0.0.1:1\" }")
      let page = try await HTTPClient(port: try #require(gateway.gateway.admin).port).get("/metrics").body
      let served = Set(
        page.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] })
      let told = Self.metrics(try Repository.text("docs/metrics.md"))
      #expect(served.count > 40)
      #expect(Set(served.map(String.init)).symmetricDifference(told).sorted() == [])
    }
  }

  @Test(
    "the dashboard and the alerts name metrics that there are", arguments: ["docs/grafana.json", "docs/alerts.yaml"])
  func names(file: String) throws {
    let named = Self.metrics(try Repository.text(file))
    #expect(named.count > 10)
    #expect(named.subtracting(Self.metrics(try Repository.text("docs/metrics.md"))).sorted() == [])
  }

  private static let program = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }

  @Test(
    "the alerts tell of a failed reload as long as it is the last one, and of a certificate before it ends",
    .enabled(if: program != nil, "there is no promtool; Debian's package prometheus has it"))
  func fired() async throws {
    let directory = try TemporaryDirectory()
    func alerts(_ name: String, at time: String, _ fires: Bool) -> String {
      let labels = #"exp_labels: { severity: \#(name.hasSuffix("Soon") ? "critical" : "warning"), instance: a }"#
      return "      - { eval_time: \(time), alertname: \(name), exp_alerts: [\(fires ? "{ \(labels), EXP }" : "")] }\n"
    }
    // Without what they say, which is not compared.
    let lines = try Repository.text("docs/alerts.yaml").split(separator: "\n").filter { line in
      let text = line.drop { $0 == " " }
      return !["annotations:", "summary:", "description:"].contains { text.hasPrefix($0) }
    }
    let rules = try directory.file("alerts.yaml", lines.joined(separator: "\n"))
    let day = 86_400
    let test = """
      rule_files: [\(rules)]
      evaluation_interval: 10m
      tests:
        - interval: 10m
          input_series:
            - { series: 'zmq_gateway_last_reload_successful{instance="a"}', values: '1x9 0x1000 1x9' }
            - { series: 'zmq_gateway_tls_certificate_end_seconds{instance="a"}', values: '\(15 * day)+0x3000' }
          alert_rule_test:

      """
    let expected = [
      ("ZMQGatewayReloadFailed", "1h", false), ("ZMQGatewayReloadFailed", "3h", true),
      ("ZMQGatewayReloadFailed", "160h", true), ("ZMQGatewayReloadFailed", "169h30m", false),
      ("ZMQGatewayCertificateEnds", "23h", false), ("ZMQGatewayCertificateEnds", "26h", true),
      ("ZMQGatewayCertificateEndsSoon", "12d", false), ("ZMQGatewayCertificateEndsSoon", "13d1h", true),
      ("ZMQGatewayCertificateEndsSoon", "16d", true),
    ].map { alerts($0.0, at: $0.1, $0.2) }.joined().replacing(", EXP", with: "")
    let file = try directory.file("test.yaml", test + expected)
    let process = try Subprocess(try #require(Self.program), ["test", "rules", file])
    process.closeInput()
    let output = try await process.rest()
    try await process.ended()
    #expect(output.contains("SUCCESS"), "\(output)")
  }

  @Test(
    "promtool finds nothing wrong with the alerts, nor with any expression of the dashboard",
    .enabled(if: program != nil, "there is no promtool; Debian's package prometheus has it"))
  func promtool() async throws {
    let program = try #require(Self.program)
    let dashboard = try #require(JSON(try Repository.text("docs/grafana.json")))
    let expressions = dashboard["panels"].elements.flatMap { $0["targets"].elements.compactMap { $0["expr"].text } }
    #expect(expressions.count > 20)
    let directory = try TemporaryDirectory()
    // As rules, with what Grafana puts in the places of its variables.
    let rules = expressions.enumerated().map { index, expression in
      let expression = expression.replacing("$__rate_interval", with: "5m").replacing("$instance", with: ".+")
      return "      - record: \"panel:\(index)\"\n        expr: '\(expression)'\n"
    }
    let file = try directory.file(
      "panels.yaml", "groups:\n  - name: panels\n    rules:\n" + rules.joined())
    for rules in [Repository.path("docs/alerts.yaml"), file] {
      let process = try Subprocess(program, ["check", "rules", rules])
      process.closeInput()
      let output = try await process.rest()
      try await process.ended()
      #expect(output.contains("SUCCESS"), "\(output)")
    }
  }
}
