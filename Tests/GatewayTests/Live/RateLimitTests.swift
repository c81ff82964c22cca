import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A client that asks too often", .inTurn(minutes: 3))
struct RateLimitTests {
  /// A backend that answers everything with nil, and a gateway in front of it with limits.
  private func with(
    _ rig: Rig, _ limits: String, auth: String = "{}", http: String = "", threads: Int = 2,
    settings: String = "{}"
  ) async throws -> LiveGateway {
    let backend = try await rig.wire(.router, bind: rig.directory.endpoint("s\(UInt16.random(in: .min ... .max))"))
    let endpoint = await backend.endpoint
    let gateway = try await rig.gateway(
      "s: { pattern: rpc, connect: [\"\(endpoint)\"], methods: { safe: [get], settings: \(settings) } }",
      http: http, auth: auth, threads: threads, limits: limits)
    let answering = Task {
      while !Task.isCancelled {
        if let call = try? await backend.call() { try await backend.answer(call, [0xC0]) }
      }
    }
    rig.cleanup.add { answering.cancel() }
    return gateway
  }

  @Test("gets 429 with the headers that say when to come again, over all threads exactly")
  func exact() async throws {
    try await Rig.with { rig in
      let gateway = try await with(rig, "{ rate: 5/h, burst: 20 }", threads: 4)
      // Whether there is a backend yet makes no difference to what is counted.
      let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<60 { group.addTask { try await gateway.http.post("/rpc/s/m").status } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses.count { $0 == 429 } == 40)
      let refused = try await gateway.http.post("/rpc/s/m")
      #expect(refused.status == 429 && refused.json["code"] == "rate-limited" && refused.json["sent"] == false)
      #expect(refused.headers["gateway-error"] == "rate-limited")
      let seconds = try #require(refused.headers["retry-after"].flatMap(Int.init))
      #expect(660...720 ~= seconds)
      #expect(refused.headers["ratelimit-policy"] == #""default";q=20;w=14400"#)
      let level = try #require(refused.headers["ratelimit"])
      #expect(level.hasPrefix(#""default";r=0;t=14"#))
      // Nothing else is let through either, but what tells of the gateway.
      for path in ["/nowhere", "/rpc/absent/m", "/rpc/s/get", "/sub/s", "/calls/x"] {
        #expect(try await gateway.http.get(path).status == 429, "\(path)")
      }
      for path in ["/live", "/ready", "/metrics", "/-/limits", "/openapi.json", "/problems/rate-limited"] {
        #expect(try await gateway.http.get(path).status == 200, "\(path)")
      }
      let told = try await gateway.http.get("/-/limits").json
      #expect(told["per"] == "address" && told["client"] == "127.0.0.1")
      #expect(told["rate"]["quota"] == 20 && told["rate"]["remaining"] == 0 && told["rate"]["window"] == 14_400)
      #expect(told["streams"] == .null)
      let metrics = try await gateway.http.get("/metrics").body
      #expect(metrics.contains("zmq_gateway_limited_clients 1\n"))
      #expect(metrics.contains("zmq_gateway_limited_clients_limit 100000\n"))
      #expect(metrics.contains("zmq_gateway_crowded_clients_total 0\n"))
      #expect(metrics.contains(#"zmq_gateway_problems_total{code="rate-limited"} 46"#))
    }
  }

  @Test("is told in each answer what is left, and may go on when it has waited")
  func refill() async throws {
    try await Rig.with { rig in
      let gateway = try await with(rig, "{ rate: 20/s, burst: 4 }", threads: 1)
      let first = try await gateway.http.post("/rpc/s/m")
      #expect(first.headers["ratelimit-policy"] == #""default";q=4;w=1"#)
      #expect(first.headers["ratelimit"] == #""default";r=3;t=1"#)
      try await eventually("a refusal") {
        let replies = try await withThrowingTaskGroup(of: Int.self) { group in
          for _ in 0..<8 { group.addTask { try await gateway.http.post("/rpc/s/m").status } }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        return replies.contains(429)
      }
      try await eventually("it may go on") { try await gateway.http.post("/rpc/s/m").status == 200 }
    }
  }

  @Test("is told apart by its subject, by its key, or by its address")
  func perClient() async throws {
    try await Rig.with { rig in
      let (one, two, other) = (APIKey.random(), APIKey.random(), APIKey.random())
      let auth = try rig.auth((one, "alice", []), (two, "alice", []), (other, "bob", []))
      for (per, expected) in [
        ("subject", [true, false, false, true]), ("key", [true, false, true, true]),
        ("address", [true, false, false, false]),
      ] {
        let gateway = try await with(rig, "{ rate: 1/h, per: \(per) }", auth: auth)
        for (key, isServed) in zip([one, one, two, other], expected) {
          let reply = try await gateway.http.post("/rpc/s/m", headers: key.header)
          #expect((reply.status != 429) == isServed, "\(per) \(reply.status)")
        }
        let told = try await gateway.http.get("/-/limits", headers: one.header).json
        #expect(told["per"] == .string(per))
        await gateway.stop()
      }
    }
  }

  @Test("with wrong keys is held to the limit of its address, and others with good ones are not")
  func guessing() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let gateway = try await with(rig, "{ rate: 3/h, burst: 3 }", auth: rig.auth((key, "alice", [])))
      for status in [401, 401, 401, 429, 429] {
        #expect(try await gateway.http.post("/rpc/s/m", headers: APIKey.random().header).status == status)
      }
      #expect(try await gateway.http.post("/rpc/s/m", headers: key.header).status != 429)
      #expect(try await gateway.http.get("/live").status == 200)
    }
  }

  @Test("pays more for a method that costs more, and for each item of a batch and of JSON-RPC")
  func costs() async throws {
    try await Rig.with { rig in
      let gateway = try await with(rig, "{ rate: 1/h, burst: 12 }", threads: 1, settings: "{ heavy: { cost: 5 } }")
      func left() async throws -> Int? { try await gateway.http.get("/-/limits").json["rate"]["remaining"].integer }
      _ = try await gateway.http.post("/rpc/s/heavy")
      #expect(try await left() == 7)
      _ = try await gateway.http.post(
        "/batch",
        #"[{"service":"s","method":"m"},{"service":"s","method":"m"},{"service":"s","method":"none","args":5}]"#)
      #expect(try await left() == 5)
      _ = try await gateway.http.post("/jsonrpc/s", #"{"jsonrpc":"2.0","method":"m","id":1}"#)
      #expect(try await left() == 4)
      // One item may come too early when others do not.
      let mixed = try await gateway.http.post(
        "/batch", #"[{"service":"s","method":"m"},{"service":"s","method":"heavy"},{"service":"s","method":"m"}]"#)
      let statuses = mixed.json.elements.map { $0["status"].integer }
      #expect(statuses[1] == 429 && statuses[0] != 429 && statuses[2] != 429)
      #expect(try await left() == 2)
      let heavy = try await gateway.http.post("/rpc/s/heavy")
      #expect(heavy.status == 429 && heavy.json["detail"].text?.contains("counts as 5") == true)
      #expect(try await left() == 2)
      // Nothing is called by these.
      #expect(try await gateway.http.send("OPTIONS", "/rpc/s/heavy").status == 204)
      #expect(try await left() == 1)
      #expect(try await gateway.http.send("PUT", "/rpc/s/heavy").status == 405)
      #expect(try await left() == 0)
    }
  }

  @Test("comes from where a trusted proxy says, and from nowhere else")
  func proxies() async throws {
    try await Rig.with { rig in
      for (http, isBelieved) in [
        (#"trusted-proxies: ["127.0.0.0/8"]"#, true), (#"trusted-proxies: ["10.0.0.0/8"]"#, false), ("", false),
      ] {
        let gateway = try await with(rig, "{ rate: 1/h }", http: http)
        var statuses: [Int] = []
        for client in ["1.2.3.4", "6.6.6.6, 1.2.3.4", "1.2.3.5", "1.2.3.5, 127.0.0.9", "9.9.9.9, nonsense"] {
          // A header that the configuration does not name says nothing.
          let headers = ["X-Forwarded-For": client, "Forwarded": "for=8.8.8.8"]
          statuses.append(try await gateway.http.post("/rpc/s/m", headers: headers).status)
        }
        #expect(
          statuses.map { $0 == 429 }
            == (isBelieved ? [false, true, false, true, false] : [false, true, true, true, true]))
        let told = try await gateway.http.get("/-/limits", headers: ["X-Forwarded-For": "2001:db8::7"]).json["client"]
        #expect(told == (isBelieved ? "2001:db8::" : "127.0.0.1"))
        await gateway.stop()
      }
    }
  }

  @Test("may have so many streams, and another one when one has closed")
  func streams() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let gateway = try await rig.gateway(
        "s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"] } }", threads: 3,
        limits: "{ streams: 2 }")
      let one = try await gateway.http.events("/sub/s?topic=a")
      let two = try await gateway.http.events("/sub/s?topic=b")
      #expect(one.head.status == 200 && two.head.status == 200 && one.head.headers["ratelimit"] == nil)
      let three = try await gateway.http.events("/sub/s?topic=c")
      #expect(three.head.status == 429 && three.head.headers["gateway-error"] == "too-many-streams")
      #expect(three.head.headers["retry-after"] == "1")
      three.close()
      #expect(try await gateway.http.send("HEAD", "/sub/s").status == 200)
      #expect(try await gateway.http.get("/-/limits").json["streams"].description == #"{"limit":2,"open":2}"#)
      one.close()
      try await eventually("a place") {
        let stream = try await gateway.http.events("/sub/s?topic=c")
        defer { stream.close() }
        return stream.head.status == 200
      }
      two.close()
      try await eventually("all places") {
        try await gateway.http.get("/-/limits").json["streams"]["open"] == 0
      }
    }
  }
}
