import Support
import Testing
import ZeroMQ

/// `GET /ready`, with backends that come and go.
@Suite("readiness", .inTurn(minutes: 3))
struct ReadyTests {
  /// Waits until each shard gives that status: so many requests in a row, spread over the shards.
  private func isEverywhere(_ status: Int, _ gateway: LiveGateway, _ target: String = "/ready") async throws {
    try await eventually("\(target) to be \(status)") {
      for _ in 0..<24 where try await gateway.http.get(target).status != status { return false }
      return true
    }
  }

  @Test("comes with a backend, goes with it, and comes back", arguments: [1, 2])
  func backend(threads: Int) async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["\#(endpoint)"] }"#, threads: threads)
      let refused = try await gateway.http.get("/ready")
      #expect(refused.status == 503)
      #expect(refused.headers["gateway-error"] == "not-ready")
      #expect(refused.headers["retry-after"] == "1")
      #expect(refused.json["code"] == "not-ready")
      #expect(refused.json["detail"] == #"There is no connection to "s"."#)
      #expect(refused.json["retryable"] == true)
      #expect(refused.json["sent"] == false)
      let first = try await rig.wire(.router, bind: endpoint)
      try await isEverywhere(200, gateway)
      #expect(try await gateway.http.get("/ready").body == #"{"status":"ready"}"#)
      await first.close()
      try await isEverywhere(503, gateway)
      _ = try await rig.wire(.router, bind: endpoint)
      try await isEverywhere(200, gateway)
    }
  }

  @Test("needs one endpoint of each service that is required, and none of one that is not")
  func required() async throws {
    try await Rig.with { rig in
      _ = try await rig.wire(.router, bind: rig.directory.endpoint("one"))
      let gateway = try await rig.gateway(
        """
        math:
          pattern: rpc
          connect: ["\(rig.directory.endpoint("one"))", "\(rig.directory.endpoint("other"))"]
        extra: { pattern: pipeline, connect: ["\(rig.directory.endpoint("nobody"))"], required: false }
        """)
      try await isEverywhere(200, gateway, "/ready?verbose")
      let services = try await gateway.http.get("/ready?verbose").json["services"]
      #expect(services["math"]["required"] == true)
      #expect(services["math"]["connected"] == true)
      #expect(services["extra"]["required"] == false)
      #expect(services["extra"]["connected"] == false)
    }
  }

  @Test("lists the services as well when it is not ready, and names those that are missing")
  func missing() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        """
        a: { pattern: rpc, connect: ["\(rig.directory.endpoint("a"))"] }
        b: { pattern: pipeline, connect: ["\(rig.directory.endpoint("b"))"] }
        """)
      let reply = try await gateway.http.get("/ready?verbose")
      #expect(reply.status == 503)
      #expect(reply.json["detail"] == #"There is no connection to "a", "b"."#)
      for name in ["a", "b"] {
        #expect(reply.json["services"][name]["required"] == true)
        #expect(reply.json["services"][name]["connected"] == false)
      }
      #expect(try await gateway.http.get("/ready").json["services"] == .null)
    }
  }

  @Test("shows an endpoint that its breaker leaves alone")
  func breaker() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("breaker: { failures: 1, open: 1h }\ntimeout: 50ms")
      defer { withExtendedLifetime(backend) {} }
      let shown = { try await gateway.http.get("/ready?verbose").json["services"]["s"]["endpoints"][0]["breaker"] }
      #expect(try await shown() == .null)
      #expect(try await gateway.http.post("/rpc/s/silent").status == 504)
      #expect(try await shown() == "open")
    }
  }

  @Test("of a service with two directions needs both; each shard knows of the one hub", arguments: [1, 3])
  func pubsub(threads: Int) async throws {
    try await Rig.with { rig in
      let (inbound, outbound) = (rig.directory.endpoint("in"), rig.directory.endpoint("out"))
      let gateway = try await rig.gateway(
        """
        news:
          pattern: pubsub
          publish: { connect: ["\(inbound)"] }
          subscribe: { connect: ["\(outbound)"] }
        """, threads: threads)
      _ = try await rig.wire(.subscribe, bind: inbound)
      #expect(try await gateway.http.get("/ready").status == 503)
      let publisher = try await rig.wire(.publish, bind: outbound)
      try await isEverywhere(200, gateway)
      await publisher.close()
      try await isEverywhere(503, gateway)
    }
  }

  @Test("ends when the gateway begins to stop")
  func stop() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend()
      let probe = try HTTPConnection(port: gateway.http.port)
      probe.send("GET", "/ready")
      #expect(try await offThread { try probe.reply().status } == 200)
      async let reply = gateway.http.post("/rpc/s/work", "[]")
      let call = try await backend.call()
      async let stopped: Void = gateway.stop()
      try await eventually("it accepts no more") { (try? HTTPConnection(port: gateway.http.port)) == nil }
      probe.send("GET", "/ready")
      let refused = try await offThread { try probe.reply() }
      #expect(refused.status == 503)
      #expect(refused.json["code"] == "not-ready")
      #expect(refused.json["detail"] == "The gateway is stopping.")
      #expect(refused.headers["connection"]?.lowercased() == "close")
      try await backend.answer(call, [9])
      #expect(try await reply.body == "9")
      await stopped
    }
  }

  @Test("asks for nothing but verbose, and is found beside the prefix too")
  func targets() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("", http: "prefix: /api")
      let verbose = ["/ready?verbose", "/ready?verbose=true", "/ready?verbose=1"]
      for target in ["/ready", "/api/ready", "/ready?verbose=false", "/ready?verbose=0"] + verbose {
        let reply = try await gateway.http.get(target)
        #expect(reply.status == 200)
        #expect((reply.json["services"] != .null) == verbose.contains(target))
        #expect(try await gateway.http.send("HEAD", target).status == 200)
      }
      for query in ["verbos", "verbose=2", "verbose&verbose", "_timeout=1"] {
        let reply = try await gateway.http.get("/ready?" + query)
        #expect(reply.status == 400)
        #expect(reply.json["code"] == "unknown-parameter")
      }
      #expect(try await gateway.http.post("/ready").status == 405)
      #expect(try await gateway.http.get("/openapi.json").status == 404)
      #expect(try await gateway.http.get("/live").status == 200)
    }
  }
}
