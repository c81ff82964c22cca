import Gateway
import Support
import Testing

/// What the log says of requests, at the level that shows them.
@Suite("the log", .inTurn(minutes: 3))
struct RequestLogTests {
  @Test("has each problem, wherever it was found, and nothing of requests that are served")
  func problems() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let configuration = try Configuration.load(
        yaml: """
          http: { listen: ["127.0.0.1:0"], threads: 1 }
          services: { s: { pattern: rpc, connect: ["ipc:///nowhere/at-all"] } }
          """, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger()))
      rig.cleanup.add { await gateway.stop() }
      let name = ["X-Request-Id": "r1"]
      _ = try await gateway.http.send("GET", "/live", headers: name)
      // By the router, by a responder, by the client of the service, and by the HTTP layer.
      _ = try await gateway.http.send("POST", "/nowhere?x", headers: name)
      _ = try await gateway.http.send("GET", "/rpc/s/add", headers: name)
      _ = try await gateway.http.send("POST", "/rpc/s/add", headers: name)
      _ = try await gateway.http.send("POST", "/rpc/s/add", headers: name.merging(["Host": "again"]) { $1 })
      let problems = log.lines.filter { $0.hasPrefix("debug: problem ") }
      #expect(
        problems == [
          "debug: problem code=no-such-route instance=/nowhere request-id=r1 status=404",
          "debug: problem code=not-safe instance=/rpc/s/add request-id=r1 status=405",
          "debug: problem code=no-backend instance=/rpc/s/add request-id=r1 status=503",
          "debug: problem code=bad-request instance=/rpc/s/add request-id=r1 status=400",
        ])
      #expect(!log.lines.contains { $0.hasPrefix("error") })
    }
  }

  @Test("says once of each endpoint that nobody answers there")
  func unreached() async throws {
    try await Rig.with { rig in
      let log = RecordingLog()
      let configuration = try Configuration.load(
        yaml: """
          http: { listen: ["127.0.0.1:0"], threads: 1 }
          services:
            a: { pattern: rpc, connect: ["ipc:///nowhere/at-all"] }
            b: { pattern: pipeline, connect: ["tcp://127.0.0.1:1"] }
          """, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger()))
      rig.cleanup.add { await gateway.stop() }
      let said = try await eventually("both are told") {
        let lines = log.lines.filter { $0.hasPrefix("warning: no connection") }
        return lines.count < 2 ? nil : lines
      }
      #expect(said.count == 2)
      #expect(said.contains { $0.contains("endpoint=ipc:///nowhere/at-all") && $0.contains("service=a") })
      #expect(said.contains { $0.contains("endpoint=tcp://127.0.0.1:1") && $0.contains("service=b") })
    }
  }
}
