import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A service that decides", .inTurn(minutes: 3))
struct DecidedRequestTests {
  @Test("is asked of what the rules allow, by names, before anything is looked for; what it refuses is refused alike")
  func names() async throws {
    try await Authorizer.with(rules: #"[{ deny: { method: "admin*" } }, { allow: {} }]"#) { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { .bool(!$0.contains("bad") && !$0.contains("hidden.m") && !$0.contains("absent.m")) }
      for (verb, target, status, question) in [
        ("POST", "/rpc/s/good", 200, "alice call s.good"), ("POST", "/rpc/s/bad", 403, "alice call s.bad"),
        ("GET", "/rpc/s/get?a=1", 200, "alice call s.get"), ("GET", "/rpc/s/other", 405, "alice call s.other"),
        ("GET", "/rpc/s/bad", 403, nil), ("OPTIONS", "/rpc/s/bad", 403, nil), ("PUT", "/rpc/s/bad", 403, nil),
        ("POST", "/rpc/hidden/m", 403, "alice call hidden.m"), ("POST", "/rpc/absent/m", 403, "alice call absent.m"),
        ("POST", "/rpc/absent/other", 404, "alice call absent.other"), ("POST", "/rpc/s/admin", 403, nil),
        ("POST", "/push/jobs/good", 202, "alice push jobs.good"),
        ("POST", "/push/jobs/bad", 403, "alice push jobs.bad"),
        ("POST", "/push/absent/m", 403, "alice push absent.m"),
        ("POST", "/pub/news/bad/m", 403, "alice publish news.m.[bad]"),
        ("POST", "/pub/news/eu.1/m", 503, "alice publish news.m.[eu.1]"),
        ("GET", "/sub/news?topic=bad&topic=b", 403, "alice subscribe news.[bad b]"),
        ("GET", "/sub/absent?topic=bad", 403, "alice subscribe absent.[bad]"),
        ("GET", "/sub/absent?topic=x", 404, "alice subscribe absent.[x]"),
        ("HEAD", "/sub/news", 200, "alice subscribe news.[]"), ("GET", "/sub/news/topics", 200, nil),
        ("GET", "/sub/news/last?topic=bad", 403, "alice subscribe news.[bad]"),
        ("GET", "/sub/news/last?topic=q", 404, "alice subscribe news.[q]"),
        ("GET", "/things/1", 200, nil), ("DELETE", "/things/1", 200, "alice call s.remove"),
        ("POST", "/tickets", 400, nil), ("GET", "/live", 200, nil), ("GET", "/", 200, nil),
        ("GET", "/nothing", 404, nil),
      ] as [(String, String, Int, String?)] {
        let reply = try await http.send(verb, target, headers: key)
        #expect(reply.status == status, "\(verb) \(target) \(reply.body)")
        #expect(authorizer.asked() == (question.map { [$0] } ?? []), "\(verb) \(target)")
        if status == 403, verb != "HEAD" { #expect(reply.json["code"] == "permission-denied", "\(target)") }
      }
      // Nobody is asked for whoever is not known, or asks for nothing.
      #expect(try await http.post("/rpc/s/good").status == 401)
      #expect(authorizer.asked() == [])
      let (one, other) = (
        try await http.post("/rpc/hidden/m", headers: key), try await http.post("/rpc/absent/m", headers: key)
      )
      #expect(one.json["detail"] == other.json["detail"])
      #expect(try await authorizer.metric(#"zmq_gateway_decisions_total{result="failed"}"#) == 0)
      #expect(try await authorizer.metric("zmq_gateway_decisions_kept") ?? 0 > 10)
      #expect(try await authorizer.metric("zmq_gateway_decisions_kept_limit") == 10_000)
      #expect(try await authorizer.metric(#"zmq_gateway_decision_lookups_total{source="kept"}"#) ?? 0 >= 6)
    }
  }

  @Test("hides a route that it refuses as if nothing were there, whatever the verb")
  func routes() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { .bool(!$0.hasSuffix(".get")) }
      let absent = try await http.get("/thing/1", headers: key)
      let denied = try await http.get("/things/1", headers: key)
      #expect(denied.status == 404 && denied.json["code"] == absent.json["code"])
      #expect(denied.json["detail"] == absent.json["detail"])
      #expect(try await http.send("DELETE", "/things/1", headers: key).status == 200)
      // Something there may be done.
      #expect(try await http.send("PUT", "/things/1", headers: key).status == 405)
      authorizer.answers { _ in false }
      #expect(try await http.send("PUT", "/things/1", headers: authorizer.bob.header).status == 404)
      #expect(try await http.send("OPTIONS", "/things/1", headers: authorizer.bob.header).status == 404)
    }
  }

  @Test("decides items of a batch and of JSON-RPC one by one, each question once")
  func items() async throws {
    try await Authorizer.with(rules: #"[{ deny: { method: "admin*" } }, { allow: {} }]"#) { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { .bool(!$0.contains("bad")) }
      let batch = try await http.post(
        "/batch",
        #"[{"service":"s","method":"a","args":[1]},{"service":"s","method":"bad"},{"service":"s","method":"a"},{"service":"absent","method":"bad"},{"service":"jobs","method":"w"},{"service":"news","topic":"bad","method":"m"},{"service":"s","method":"admin"},{"no":1},{"service":"absent","method":"x"}]"#,
        headers: key)
      #expect(batch.json.elements.map { $0["status"] } == [200, 403, 200, 403, 202, 403, 403, 400, 404])
      #expect(
        authorizer.asked().sorted() == [
          "alice call absent.bad", "alice call absent.x", "alice call s.a", "alice call s.bad",
          "alice publish news.m.[bad]",
          "alice push jobs.w",
        ])
      let rpc = try await http.post(
        "/jsonrpc/s",
        #"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method":"bad","id":2},{"jsonrpc":"2.0","method":"bad"},{"jsonrpc":"2.0","method":"b","id":3}]"#,
        headers: key)
      #expect(rpc.json.elements.map { $0["result"] } == ["a", .null, "b"])
      #expect(rpc.json.elements.map { $0["error"]["data"]["code"] } == [.null, "permission-denied", .null])
      #expect(authorizer.asked() == ["alice call s.b"])
      // Of a document of which nothing is allowed nothing is told, not even whether there is the service.
      for body in [
        #"{"jsonrpc":"2.0","method":"bad","id":2}"#, #"{"jsonrpc":"2.0","method":"bad"}"#,
      ] {
        let here = try await http.post("/jsonrpc/s", body, headers: key)
        let nowhere = try await http.post("/jsonrpc/absent", body, headers: key)
        #expect(here.status == 403 && nowhere.status == 403, "\(body)")
        #expect(here.json["detail"] == nowhere.json["detail"])
      }
      // What is wrong with a document that calls nothing is told alike, whether there is the service or not.
      for (body, code) in [
        ("[", -32_700), ("", -32_700), ("{}", -32_600), ("[]", -32_600), ("[{},7]", -32_600), ("\"bad\"", -32_600),
        (#"{"jsonrpc":"2.0","method":7,"id":2}"#, -32_600), (#"{"id":1,"id":2}"#, -32_700),
      ] {
        let here = try await http.post("/jsonrpc/s", body, headers: key)
        let nowhere = try await http.post("/jsonrpc/absent", body, headers: key)
        #expect(here.status == 200 && here.json["error"]["code"].integer == code, "\(body) \(here.body)")
        #expect(here.json["id"] == .null && here.body == nowhere.body && nowhere.status == 200)
      }
      for target in ["/jsonrpc/s", "/jsonrpc/absent"] {
        #expect(try await http.get(target, headers: key).status == 405)
        #expect(try await http.send("OPTIONS", target, headers: key).status == 403)
      }
      #expect(authorizer.asked() == [])
      let wanted = #"{"jsonrpc":"2.0","method":"a","id":1}"#
      #expect(try await http.post("/jsonrpc/absent", wanted, headers: key).status == 404)
      // What is named twice is read in no other way than that in which it is decided.
      let twice = #"{"jsonrpc":"2.0","method":"a","method":"bad","id":1}"#
      #expect(try await http.post("/jsonrpc/s", twice, headers: key).json["result"] == .null)
      let doubled = try await http.post(
        "/batch", #"[{"service":"s","method":"a","method":"bad"}]"#, headers: key)
      #expect(doubled.json.elements.map { $0["status"] } == [400])
    }
  }

  @Test("is asked once for all who have the same question; its answer holds as long as it says")
  func kept() async throws {
    try await Authorizer.with(", keep: 1h") { authorizer in
      let (http, alice) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in nil }
      async let replies = withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await http.post("/rpc/s/a", "[1]", headers: alice).status } }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      try await eventually("all to wait") {
        let joined = try await authorizer.metric(#"zmq_gateway_decision_lookups_total{source="joined"}"#)
        return joined == 7
      }
      try await authorizer.isAsked(1)
      #expect(authorizer.asked() == ["alice call s.a"])
      try await authorizer.release(true)
      #expect(try await replies == [Int](repeating: 200, count: 8))
      #expect(try await http.post("/rpc/s/a", headers: alice).status == 200)
      #expect(authorizer.asked() == [])
      // Another caller is another question. An answer that says that it does not hold is asked for again.
      authorizer.answers { _ in ["allow": true, "ttl": 0] }
      for _ in 0..<2 { #expect(try await http.post("/rpc/s/a", headers: authorizer.bob.header).status == 200) }
      #expect(authorizer.asked() == ["bob call s.a", "bob call s.a"])
      authorizer.answers { _ in ["allow": false, "ttl": 3600] }
      for _ in 0..<2 { #expect(try await http.post("/rpc/s/b", headers: alice).status == 403) }
      #expect(authorizer.asked() == ["alice call s.b"])
    }
  }

  @Test("that answers something else, or raises, allows nothing: 503, and nothing is sent or kept")
  func failures() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      for answer: Value in ["yes", ["allow": 1], .nil, []] {
        authorizer.answers { _ in answer }
        let reply = try await http.post("/rpc/s/a", headers: key)
        #expect(reply.status == 503 && reply.json["code"] == "undecided", "\(answer)")
        #expect(reply.json["sent"] == false && reply.json["retryable"] == true && reply.headers["retry-after"] == "1")
      }
      authorizer.answers { _ in nil }
      async let raised = http.post("/rpc/s/a", headers: key)
      try await authorizer.isAsked(5)
      try await authorizer.release(["builtins.ValueError", ["x"], "ValueError('x')"], isException: true)
      #expect(try await raised.status == 503)
      #expect(try await authorizer.metric(#"zmq_gateway_decisions_total{result="failed"}"#) == 5)
      authorizer.answers { _ in true }
      #expect(try await http.post("/rpc/s/a", headers: key).status == 200)
      // Of a batch only those items are refused that could not be decided.
      authorizer.answers { $0.hasSuffix(".b") ? 7 : true }
      let batch = try await http.post(
        "/batch", #"[{"service":"s","method":"a"},{"service":"s","method":"b"}]"#, headers: key)
      #expect(batch.json.elements.map { $0["status"] } == [200, 503])
    }
  }

  @Test(
    "that is gone or silent allows nothing, or everything that the rules do, as fail-open says",
    arguments: [false, true])
  func gone(failsOpen: Bool) async throws {
    let more = ", timeout: 50ms, fail-open: \(failsOpen)"
    try await Authorizer.with(more, rules: "[{ deny: { method: never } }, { allow: {} }]") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in nil }
      let status = failsOpen ? 200 : 503
      #expect(try await http.post("/rpc/s/a", headers: key).status == status)
      await authorizer.service.close()
      try await eventually("its connection to be gone") {
        try await http.get("/metrics", headers: key).body.contains(
          #"zmq_gateway_endpoint_up{service="authorizer",role="rpc",endpoint="\#(authorizer.rig.directory.endpoint("authorizer"))"} 0"#
        )
      }
      #expect(try await http.post("/rpc/s/b", headers: key).status == status)
      #expect(try await http.post("/rpc/s/never", headers: key).status == 403)
    }
  }

  @Test("takes of the time that a request has; it waits no longer than that")
  func deadlines() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { _ in nil }
      for send in [
        { try await http.post("/rpc/s/a?_timeout=0.05", "[1]", headers: key) },
        { try await http.post("/rpc/s/a", headers: key.merging(["Request-Timeout": "0.05"]) { $1 }) },
        { try await http.get("/rpc/s/get?_timeout=0.05&x=1", headers: key) },
        { try await http.get("/things/1?_timeout=0.05", headers: key) },
        { try await http.post("/batch?_timeout=0.05", #"[{"service":"s","method":"a"}]"#, headers: key) },
      ] as [@Sendable () async throws -> HTTPReply] {
        let reply = try await send()
        #expect(reply.status == 503 && reply.json["code"] == "queue-timeout" && reply.json["sent"] == false)
      }
      // A client that leaves is forgotten, and the question goes on for others.
      let joined = try #require(try await authorizer.metric(#"zmq_gateway_decision_lookups_total{source="joined"}"#))
      let leaving = try http.begin("POST", "/rpc/s/leaving", headers: key)
      try await authorizer.isAsked(3)
      leaving.disconnect()
      async let staying = http.post("/rpc/s/leaving", "[1]", headers: key)
      try await eventually("both to wait") {
        try await authorizer.metric(#"zmq_gateway_decision_lookups_total{source="joined"}"#) ?? 0 > joined
      }
      try await authorizer.release(true)
      #expect(try await staying.status == 200)
    }
  }

  @Test("holds back a body, which is whole when it has allowed; and refusals that tell what there is")
  func bodies() async throws {
    try await Authorizer.with { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      authorizer.answers { $0.contains("bad") ? false : nil }
      let text = String(repeating: "x", count: 300_000)
      async let long = http.post("/rpc/s/long", #"["\#(text)"]"#, headers: key)
      try await authorizer.isAsked(1)
      try await authorizer.release(true)
      #expect(try await long.status == 200)
      // Too long a body to wait for is refused at once, but not before it is decided what may be told.
      for target in ["/rpc/absent/bad", "/rpc/s/bad", "/push/s/bad"] {
        let reply = try await http.post(target, #"["\#(text)"]"#, headers: key)
        #expect(reply.status == 403, "\(target)")
        let expecting = try await TestAuthority.run(
          "curl",
          [
            "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect: 100-continue", "-d", "[1]",
            "-H", "Authorization: \(key["Authorization"] ?? "")", "http://127.0.0.1:\(http.port)\(target)",
          ])
        #expect(expecting.output == "403", "\(target)")
      }
      // The memory of bodies is given back.
      try await eventually("the memory") {
        try await authorizer.metric("zmq_gateway_memory_bytes") ?? .max < 100_000
      }
    }
  }

  @Test("is told the address where that is wanted, and answers for it alone")
  func address() async throws {
    try await Authorizer.with(", address: true") { authorizer in
      let (http, key) = (authorizer.gateway.http, authorizer.alice.header)
      let reply = try await http.post("/rpc/s/a", headers: key)
      #expect(reply.status == 200 && authorizer.addresses() == ["127.0.0.1"])
    }
  }
}
