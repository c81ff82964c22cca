import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A caller under rules", .inTurn(minutes: 3))
struct AuthorizationTests {
  static let rules = """
    [{ deny: { method: "admin*" } }, { deny: { topic: "secret.*" } }, { allow: { scope: read, service: "s*", method: "get*" } }, \
    { allow: { subject: root } }, { allow: { scope: listen, service: news, topic: "*" } }, { allow: { scope: batch, service: s, method: add } }]
    """

  private struct Callers {
    let root = APIKey.random(), reader = APIKey.random(), listener = APIKey.random(), nobody = APIKey.random()
  }

  private func with(_ body: (Callers, LiveGateway, WireSocket) async throws -> Void) async throws {
    try await Rig.with { rig in
      let callers = Callers()
      let auth = try rig.auth(
        (callers.root, "root", []), (callers.reader, "reader", ["read"]), (callers.listener, "listener", ["listen"]),
        (callers.nobody, "nobody", []), rules: Self.rules)
      let backend = try await rig.wire(.router, bind: rig.directory.endpoint("rpc"))
      let publisher = try await rig.wire(.subscriptionAwarePublish, bind: rig.directory.endpoint("news"))
      let gateway = try await rig.gateway(
        """
        s:
          pattern: rpc
          connect: ["\(await backend.endpoint)"]
          methods: { safe: ["get*", add] }
          routes: { "GET /things/{id}": "get_thing(id)", "DELETE /things/{id}": "delete_thing(id)", "GET /adds": "add()" }
        hidden: { pattern: rpc, connect: ["ipc:///nowhere/a"], required: false }
        news:
          pattern: pubsub
          subscribe: { connect: ["\(await publisher.endpoint)"], last: {} }
          publish: { connect: ["ipc:///nowhere/p"] }
        """, auth: auth, threads: 2)
      let answering = Task {
        while !Task.isCancelled {
          if let call = try? await backend.call() { try await backend.answer(call, Value.string(call.method).packed) }
        }
      }
      rig.cleanup.add { answering.cancel() }
      try await eventually("a backend on each shard") {
        for _ in 0..<8 where try await gateway.http.post("/rpc/s/m", headers: callers.root.header).status != 200 {
          return false
        }
        return true
      }
      try await body(callers, gateway, publisher)
    }
  }

  @Test("calls what they allow; all else is refused alike, whether it is there or not")
  func calls() async throws {
    try await with { callers, gateway, _ in
      for (target, status) in [
        ("/rpc/s/get_x", 200), ("/rpc/s/set", 403), ("/rpc/s/admin", 403), ("/rpc/hidden/m", 403),
        ("/rpc/absent/m", 403),
        ("/rpc/hidden/get", 403), ("/rpc/super/get", 404), ("/push/s/get", 404), ("/push/x/m", 403),
        ("/pub/news/t/m", 403),
        ("/pub/absent/t/m", 403), ("/jsonrpc/hidden", 403), ("/jsonrpc/absent", 403),
      ] {
        let reply = try await gateway.http.post(target, headers: callers.reader.header)
        #expect(reply.status == status, "\(target)")
        if status == 403 { #expect(reply.json["code"] == "permission-denied", "\(target)") }
        if status != 200 { #expect(!(reply.json["detail"].text ?? "").contains("hidden"), "\(target)") }
      }
      let one = try await gateway.http.post("/rpc/hidden/m", headers: callers.nobody.header)
      let other = try await gateway.http.post("/rpc/absent/m", headers: callers.nobody.header)
      #expect(one.json["detail"] == other.json["detail"])
      // Nearly the name of a service that this caller may not see.
      let near = try await gateway.http.post("/rpc/sx/get", headers: callers.reader.header)
      #expect(near.status == 404 && near.json["detail"] == "There is nothing of this name here for you.")
      #expect(try await gateway.http.post("/rpc/s/set", headers: callers.root.header).status == 200)
      #expect(try await gateway.http.post("/rpc/s/admin", headers: callers.root.header).status == 403)
    }
  }

  @Test("finds the routes that they allow, and others are as if they did not exist")
  func routes() async throws {
    try await with { callers, gateway, _ in
      let reader = callers.reader.header
      #expect(try await gateway.http.get("/things/1", headers: reader).status == 200)
      let verb = try await gateway.http.send("DELETE", "/things/1", headers: reader)
      let absentVerb = try await gateway.http.send("PUT", "/things/1", headers: reader)
      #expect(verb.status == 405 && verb.json["detail"] == absentVerb.json["detail"])
      #expect(verb.headers["allow"] == "GET, HEAD, OPTIONS")
      let denied = try await gateway.http.get("/adds", headers: reader)
      let absent = try await gateway.http.get("/absent", headers: reader)
      #expect(denied.status == 404 && denied.json["detail"] == absent.json["detail"])
      #expect(try await gateway.http.get("/adds", headers: callers.root.header).status == 200)
      #expect(try await gateway.http.get("/things/1", headers: callers.nobody.header).status == 404)
    }
  }

  @Test("is refused in a batch and in JSON-RPC item by item")
  func items() async throws {
    try await with { callers, gateway, _ in
      let batch = try await gateway.http.post(
        "/batch",
        #"[{"service":"s","method":"get"},{"service":"s","method":"set"},{"service":"absent","method":"m"},{"service":"news","topic":"a","method":"m"}]"#,
        headers: callers.reader.header)
      #expect(batch.status == 200)
      #expect(batch.json.elements.map { $0["status"] } == [200, 403, 403, 403])
      let rpc = try await gateway.http.post(
        "/jsonrpc/s",
        #"[{"jsonrpc":"2.0","method":"get","id":1},{"jsonrpc":"2.0","method":"set","id":2},{"jsonrpc":"2.0","method":"set"}]"#,
        headers: callers.reader.header)
      #expect(rpc.json.elements.map { $0["result"] } == ["get", .null])
      #expect(rpc.json.elements.map { $0["error"]["data"]["code"] } == [.null, "permission-denied"])
    }
  }

  @Test("never sees an event of a topic that a rule denies: live, from history, as a snapshot, or as the last one")
  func topics() async throws {
    try await with { callers, gateway, publisher in
      let listener = callers.listener.header
      _ = try await publisher.subscription()
      func publish(_ number: Int64) async throws {
        for topic in ["secret.a", "open", "secret", "secret.b"] {
          try await publisher.publish(topic, "m", [.int(number)])
        }
      }
      try await publish(1)
      try await eventually("the last event") {
        try await gateway.http.get("/sub/news/last?topic=secret", headers: listener).status == 200
      }
      let streams = [
        try await gateway.http.events("/sub/news", headers: listener),
        try await gateway.http.events("/sub/news?_from=earliest", headers: listener),
        try await gateway.http.events("/sub/news?_from=snapshot", headers: listener),
        try await gateway.http.events("/sub/news?topic=sec&topic=*", headers: listener),
        try await gateway.http.events("/sub/news?topic=secret", headers: listener),
      ]
      let whole = try await gateway.http.events("/sub/news", headers: callers.root.header)
      for stream in streams + [whole] { #expect(stream.head.status == 200) }
      try await publish(2)
      try await publisher.publish("secret", "end", [])
      for (index, stream) in streams.enumerated() {
        var topics: [String] = []
        while let event = try await stream.event(), event.json["method"] != "end" {
          topics.append(event.json["topic"].text ?? "")
        }
        let isAll = index < 3
        #expect(topics.allSatisfy { !$0.hasPrefix("secret.") }, "\(index): \(topics)")
        #expect(topics.contains("secret"), "\(index): \(topics)")
        if isAll { #expect(topics.contains("open"), "\(index): \(topics)") }
        stream.close()
      }
      // A rule that denies goes for whom all else is allowed to as well.
      var seen: [String] = []
      while let event = try await whole.event(), event.json["method"] != "end" {
        seen.append(event.json["topic"].text ?? "")
      }
      #expect(seen == ["open", "secret"])
      whole.close()
      for (target, status) in [
        ("/sub/news/last?topic=secret.a", 403), ("/sub/news/last?topic=open", 200), ("/sub/news?topic=secret.", 403),
        ("/sub/news?topic=secret.a&topic=open", 403), ("/sub/news/topics", 200), ("/sub/absent", 403),
      ] { #expect(try await gateway.http.send("HEAD", target, headers: listener).status == status, "\(target)") }
      #expect(try await gateway.http.get("/sub/news", headers: callers.reader.header).status == 403)
      #expect(try await gateway.http.get("/sub/news/topics", headers: callers.nobody.header).status == 403)
    }
  }

  @Test("is shown only services of which they allow something")
  func lists() async throws {
    try await with { callers, gateway, _ in
      func names(_ key: APIKey) async throws -> [[String]] {
        let home = try await gateway.http.get("/", headers: key.header).json["services"].elements.compactMap {
          $0["name"].text
        }
        let ready = try await gateway.http.get("/ready?verbose", headers: key.header).json["services"].members.map(
          \.key)
        return [home, ready]
      }
      #expect(try await names(callers.reader) == [["s"], ["s"]])
      let reader = try await gateway.http.get("/", headers: callers.reader.header).json["services"].elements[0]
      #expect(reader["routes"].elements.map { $0["verb"] } == ["GET"])
      #expect(reader["methods"].elements.map { $0["name"] } == [])
      let root = try await gateway.http.get("/", headers: callers.root.header).json["services"].elements[0]
      #expect(root["routes"].elements.count == 3)
      #expect(root["methods"].elements.map { $0["name"] } == ["add"])
      #expect(try await names(callers.nobody) == [[], []])
      #expect(try await names(callers.root) == [["s", "hidden", "news"], ["s", "hidden", "news"]])
    }
  }

  @Test("finds what they allow in the documents, and nothing else")
  func documents() async throws {
    try await with { callers, gateway, _ in
      for (key, own) in [
        (callers.nobody, []), (callers.reader, ["/things/{id} get head"]), (callers.listener, ["/sub/news get"]),
        (callers.root, ["/rpc/s/add post get", "/sub/news get", "/things/{id} get head delete", "/adds get head"]),
        (callers.reader, ["/things/{id} get head"]),
      ] {
        let document = try await gateway.http.get("/openapi.json", headers: key.header)
        #expect(document.headers["cache-control"] == "no-store")
        let paths = document.json["paths"].members.prefix { $0.key != "/rpc/{service}/{method}" }
        let verbs = paths.map { path in ([path.key] + path.value.members.map(\.key)).joined(separator: " ") }
        #expect(verbs == own)
        let yaml = try await gateway.http.get("/openapi.yaml", headers: key.header).body
        for path in ["/rpc/s/add", "/sub/news", "/things/{id}"] {
          #expect(yaml.contains("  \"\(path)\": ") == own.contains { $0.hasPrefix(path + " ") }, "\(path)")
        }
      }
    }
  }
}
