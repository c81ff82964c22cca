import Foundation
import GatewaySecurity
import HTTPServer
import MessagePack
import Support
import Testing
import ZeroMQ

@testable import Gateway

@Suite("Operations", .inTurn(minutes: 3))
struct AdminTests {
  private static let admin = "admin: \"127.0.0.1:0\""

  private func client(_ gateway: LiveGateway) throws -> HTTPClient {
    HTTPClient(port: try #require(gateway.gateway.admin).port)
  }

  @Test("have an address of their own, which serves nothing else; the others keep what probes ask for")
  func address() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(http: Self.admin)
      let admin = try client(gateway)
      for path in ["/live", "/ready", "/ready?verbose", "/metrics", "/status", "/problems/timeout"] {
        #expect(try await admin.get(path).status == 200, "\(path)")
      }
      #expect(try await admin.get("/metrics").body.contains("\nzmq_gateway_requests_in_progress 0\n"))
      for path in ["/", "/rpc/s/hello", "/openapi.json", "/-/other", "/-/reload/x"] {
        let reply = try await admin.get(path)
        #expect(reply.status == 404 && reply.body.contains("/-/reload"), "\(path) \(reply.status)")
      }
      for path in ["/live", "/ready"] { #expect(try await gateway.http.get(path).status == 200, "\(path)") }
      for path in ["/metrics", "/status", "/-/reload"] {
        let refused = try await gateway.http.get(path)
        #expect(refused.headers["gateway-error"] == "no-such-route", "\(path)")
        #expect(refused.json["detail"].text?.contains("http.admin") == true, "\(path): \(refused.body)")
        #expect(try await gateway.http.post(path).status == 404, "\(path)")
      }
      #expect(try await gateway.http.get("/ready?verbose").headers["gateway-error"] == "unknown-parameter")
    }
  }

  @Test("go on while the gateway stops, and tell that it does, until the last call and stream have ended")
  func stopping() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let publisher = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("news"))
      let gateway = try await rig.gateway(
        """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"] }
        news: { pattern: pubsub, subscribe: { connect: ["\(await publisher.endpoint)"] } }
        """, http: Self.admin, threads: 2)
      let admin = try client(gateway)
      try await gateway.reaches(backend)
      try await eventually("readiness") { try await admin.get("/ready").status == 200 }
      let stream = try await gateway.http.events("/sub/news?topic=a")
      async let reply = gateway.http.post("/rpc/s/work", "[]")
      let call = try await backend.call()
      async let stopped: Void = gateway.stop()
      #expect(try await stream.event(named: "bye") != nil)
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      for _ in 0..<3 {
        let ready = try await admin.get("/ready")
        #expect(ready.status == 503 && ready.body.contains("stopping"), "\(ready.body)")
        #expect(try await admin.get("/live").status == 200)
        #expect(try await admin.get("/status").json["state"] == "stopping")
        #expect(try await admin.get("/metrics").body.contains("\nzmq_gateway_requests_in_progress 1\n"))
      }
      #expect(try await admin.post("/-/reload").status == 500)
      try await backend.answer(call, [9])
      #expect(try await reply.body == "9")
      await stopped
      #expect(throws: (any Error).self) { try HTTPConnection(port: admin.port) }
    }
  }

  @Test("answer probes when all of their connections are taken by requests that do not end")
  func reserve() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("{}", http: Self.admin)
      let admin = try client(gateway)
      let halves = try (0..<64).map { _ in
        let connection = try HTTPConnection(port: admin.port)
        connection.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n".bytes)
        return connection
      }
      defer { for connection in halves { connection.disconnect() } }
      try await eventually("the limit") { try await admin.get("/metrics").status == 503 }
      for path in ["/live", "/ready"] { #expect(try await admin.get(path).status == 200, "\(path)") }
    }
  }

  @Test("ask this machine for no key, and no page of another origin")
  func callers() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let gateway = try await rig.gateway("{}", http: Self.admin, auth: try rig.auth((key, "alice", [])))
      let admin = try client(gateway)
      #expect(try await admin.get("/status").status == 200)
      #expect(try await gateway.http.get("/").status == 401)
      let foreign = ["Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"]
      #expect(try await admin.post("/-/reload", headers: foreign).headers["gateway-error"] == "cross-site")
      let rebound = try HTTPConnection(port: admin.port)
      rebound.send("GET /status HTTP/1.1\r\nHost: evil.example\r\n\r\n".bytes)
      #expect(try await offThread { try rebound.reply() }.headers["gateway-error"] == "misdirected")
      #expect(gateway.gateway.reloads.record.failed == 0)
    }
  }

  @Test("are for no page of a browser, whatever origins are listed", arguments: ["\"*\"", "\"https://app.example\""])
  func pages(origins: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("{}", http: Self.admin + "\ncors: { origins: [\(origins)] }")
      let admin = try client(gateway)
      let page = ["Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"]
      #expect(try await gateway.http.get("/live", headers: page).headers["access-control-allow-origin"] != nil)
      for path in ["/status", "/metrics", "/live"] {
        let reply = try await admin.get(path, headers: page)
        #expect(reply.headers["access-control-allow-origin"] == nil, "\(path)")
        #expect(reply.headers["cross-origin-resource-policy"] == "same-origin", "\(path)")
      }
      #expect(try await admin.post("/-/reload", headers: page).headers["gateway-error"] == "cross-site")
      let preflight = page.merging(["Access-Control-Request-Method": "POST"]) { $1 }
      let asked = try await admin.send("OPTIONS", "/-/reload", headers: preflight)
      #expect(asked.headers["access-control-allow-origin"] == nil && asked.status == 403, "\(asked.status)")
    }
  }

  @Test("reload a configuration that is valid, and tell why another one is not")
  func reload() async throws {
    try await Rig.with { rig in
      func write(_ services: String) throws -> String {
        try rig.directory.file(
          "gateway.yaml", "http: { listen: [\"127.0.0.1:0\"], \(Self.admin) }\nservices: \(services)")
      }
      let file = try write("{}")
      let source: ConfigurationSource = {
        try Configuration.load(yaml: try String(contentsOfFile: file, encoding: .utf8), file: "gateway.yaml")
      }
      let gateway = LiveGateway(try await Gateway.start(try source(), source: source, logger: Rig.logger))
      rig.cleanup.add { await gateway.stop() }
      let admin = try client(gateway)
      #expect(try await admin.get("/-/reload").headers["gateway-error"] == "method-not-allowed")
      _ = try write(
        "{ jobs: { pattern: pipeline, connect: [\"ipc:///nowhere/at-all\"] } }\ngrace: 9s\nlog: { level: error }")
      let good = try await admin.post("/-/reload")
      #expect(good.status == 200 && good.json["opened"][0] == "jobs", "\(good.body)")
      #expect(good.json["changed"] == ["grace"] && good.json["needsRestart"] == ["log"], "\(good.body)")
      #expect(try await admin.get("/status").json["configuration"]["last"]["changed"] == ["grace"])
      _ = try write("{ jobs: { pattern: pipeline, conect: [\"ipc:///nowhere/at-all\"] } }")
      let bad = try await admin.post("/-/reload")
      #expect(bad.status == 500 && bad.headers["gateway-error"] == "reload-failed")
      #expect(bad.json["detail"].text?.contains("did you mean \"connect\"?") == true, "\(bad.body)")
      let last = try await admin.get("/status").json["configuration"]
      #expect(last["reloads"]["succeeded"].integer == 1 && last["reloads"]["failed"].integer == 1)
      #expect(last["last"]["result"] == "failure" && last["last"]["error"].text?.contains("conect") == true)
    }
  }

  @Test("tell of services, their endpoints and limits; to people by a page")
  func status() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)", "ipc:///nowhere/at-all"], in-flight: 7 }
        n: { pattern: pubsub, required: false, subscribe: { connect: ["ipc:///nowhere/at-all"] } }
        """)
      let stream = try await gateway.http.events("/sub/n?topic=a")
      try await eventually("a backend") {
        try await gateway.http.get("/status").json["services"]["s"]["connected"] == .bool(true)
      }
      // The connections of requests before end a moment after their answers.
      let status = try await eventually("the stream's connection, and that which asks") {
        let status = try await gateway.http.get("/status").json
        // A plain nil would be the null of JSON, which is something.
        return status["connections"]["count"].integer == 2 ? status : Optional.none
      }
      #expect(status["version"] == .string("\(ZeroMQ.version)"))
      #expect(status["listen"].elements.count == 1)
      #expect(status["requests"]["inProgress"].integer == 0)
      let service = status["services"]["s"]
      #expect(service["inFlight"]["limit"].integer == 7 && service["inFlight"]["count"].integer == 0)
      #expect(service["endpoints"].elements.map { $0["state"] } == ["up", "down"])
      #expect(status["services"]["n"]["connected"] == .bool(false))
      #expect(status["services"]["n"]["streams"].integer == 1)
      let page = try await gateway.http.get("/status", headers: ["Accept": "text/html,*/*"])
      #expect(page.headers["content-type"] == "text/html; charset=utf-8" && page.body.contains("<table>"))
      withExtendedLifetime(stream) {}
    }
  }

  @Test(
    "are told by the command status, which is 0 while the gateway is ready",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func command() async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let gateway = try await rig.gateway(
        "s: { pattern: rpc, connect: [\"\(endpoint)\"] }", http: Self.admin, threads: 1)
      let admin = try client(gateway)
      func status(_ option: String = "--http") async throws -> (output: String, code: CInt) {
        let process = try Program.start("status", option, "127.0.0.1:\(admin.port)")
        let output = try await process.rest()
        return (output, try await process.ended())
      }
      let before = try await status()
      #expect(before.code == 69 && before.output.contains("not-ready") && before.output.contains("s: no connection"))
      _ = try await rig.wire(.router, bind: endpoint)
      try await eventually("the gateway to be ready") { try await admin.get("/ready").status == 200 }
      let after = try await status()
      #expect(
        after.code == 0 && after.output.contains(": ready") && after.output.contains("\(endpoint): up"), "\(after)")
      #expect(try await status("--admin").code == 0)
      await gateway.stop()
      #expect(try await status().code == 69)
    }
  }

  @Test("off this machine need keys, or auth: none") func config() throws {
    func read(_ yaml: String) throws -> Configuration { try Configuration.load(yaml: yaml, file: "test.yaml") }
    #expect(throws: (any Error).self) { try read("http: { admin: \"0.0.0.0:9090\" }") }
    #expect(try read("http: { admin: \"0.0.0.0:9090\" }\nauth: none").http.admin?.port == 9_090)
    #expect(throws: (any Error).self) { try read("http: { admin: \"127.0.0.1:8080\" }") }
    #expect(try read("http: { admin: \"127.0.0.1:9090\" }").http.admin == ListenAddress("127.0.0.1:9090"))
  }
}
