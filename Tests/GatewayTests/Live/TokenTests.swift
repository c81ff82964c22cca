import Foundation
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

@Suite("A caller with a token", .inTurn(minutes: 3))
struct TokenTests {
  /// A backend that answers everything with nil, and a gateway in front of it that knows the tokens of these.
  private func with(
    _ rig: Rig, _ jwt: String, _ set: String, more: String = "", service: String = "", limits: String = "{}",
    threads: Int = 2
  ) async throws -> LiveGateway {
    let file = try rig.directory.file("jwks.json", set)
    let backend = try await rig.wire(.router, bind: rig.directory.endpoint("s\(UInt16.random(in: .min ... .max))"))
    let endpoint = await backend.endpoint
    let auth =
      #"{ jwt: { jwks: "\#(file)", issuer: https://id.example, audience: gateway\#(jwt) }, refresh: 100ms\#(more) }"#
    let gateway = try await rig.gateway(
      "s: { pattern: rpc, connect: [\"\(endpoint)\"]\(service) }", auth: auth, threads: threads, limits: limits)
    let answering = Task {
      while !Task.isCancelled {
        if let call = try? await backend.call() { try await backend.answer(call, [0xC0]) }
      }
    }
    rig.cleanup.add { answering.cancel() }
    return gateway
  }

  static func bearer(_ token: String) -> [String: String] { ["Authorization": "Bearer \(token)"] }

  @Test("is served while it counts; with any other one it is told the same as without a key that is known")
  func tokens() async throws {
    try await Rig.with { rig in
      let forge = try await TokenForge()
      let gateway = try await with(rig, "", TokenForge.set(forge))
      let good = try forge.token(of: "alice")
      try await eventually("a backend") {
        try await gateway.http.post("/rpc/s/m", headers: Self.bearer(good)).status == 200
      }
      // As a password too, and again on each thread.
      let basic = AuthenticationTests.basic("alice:\(good)")
      #expect(try await gateway.http.post("/rpc/s/m", headers: basic).status == 200)
      for _ in 0..<8 { #expect(try await gateway.http.post("/rpc/s/m", headers: Self.bearer(good)).status == 200) }
      var answers: Set<String> = []
      let stranger = try await TokenForge()
      for bad in [
        try forge.token(of: "alice", in: -31), try forge.token(of: "alice", issuer: "https://evil.example"),
        try forge.token(of: "alice", audience: #""other""#), try stranger.token(of: "alice"),
        try forge.token(#"{"iss":"https://id.example"}"#), "a.b.c", "..", String(good.dropLast()), good + "A",
        TokenForge.text(#"{"alg":"none"}"#) + "." + good.split(separator: ".")[1] + ".", APIKey.random().text,
      ] {
        let reply = try await gateway.http.post("/rpc/s/m", headers: Self.bearer(bad))
        #expect(reply.status == 401, "\(bad)")
        answers.insert("\(reply.json["detail"]) \(reply.headers["www-authenticate"] ?? "")")
      }
      #expect(answers.count == 1)
    }
  }

  @Test("may do what the rules allow to its subject and its scopes, and counts against the limits by its subject")
  func rules() async throws {
    try await Rig.with { rig in
      let forge = try await TokenForge()
      let rules = ", rules: [{ allow: { scope: call, service: s } }, { allow: { subject: root } }]"
      let gateway = try await with(
        rig, ", leeway: 0s", TokenForge.set(forge), more: rules, limits: "{ rate: 1/h, burst: 3 }")
      func status(_ token: String) async throws -> Int {
        try await gateway.http.post("/rpc/s/m", headers: Self.bearer(token)).status
      }
      let reader = try forge.token(of: "alice", scope: "read")
      #expect(try await status(reader) == 403)
      #expect(try await status(forge.token(of: "root")) != 403)
      #expect(try await status(forge.token(of: "alice", scope: "read call")) != 403)
      // Three of alice's so far with the next, by whichever token.
      #expect(try await status(forge.token(of: "alice", scope: "call", in: 700)) != 429)
      #expect(try await status(forge.token(of: "alice", scope: "call", in: 800)) == 429)
      #expect(try await status(forge.token(of: "bob", scope: "call")) != 429)
      let told = try await gateway.http.get("/-/limits", headers: Self.bearer(reader)).json
      #expect(told["per"] == "subject" && told["client"] == "alice" && told["rate"]["remaining"] == 0)
    }
  }

  @Test("of one of several issuers has to be signed by that one")
  func issuers() async throws {
    try await Rig.with { rig in
      let (one, other) = (try await TokenForge(), try await TokenForge())
      let files = try [("a", one), ("b", other)].map { try rig.directory.file("\($0).json", TokenForge.set($1)) }
      let auth = """
        { jwt: [{ jwks: "\(files[0])", issuer: https://a.example, audience: [gateway] },
        { jwks: "\(files[1])", issuer: [https://b.example, https://c.example], audience: gateway, algorithms: [ES256], subject: email }] }
        """
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["ipc:///nowhere/x"], required: false }"#,
        auth: auth.split(separator: "\n").joined(separator: " "), threads: 1)
      func isKnown(_ token: String) async throws -> Bool {
        try await gateway.http.post("/rpc/s/m", headers: Self.bearer(token)).status == 503
      }
      #expect(try await isKnown(one.token(of: "alice", issuer: "https://a.example")))
      #expect(try await !isKnown(one.token(of: "alice", issuer: "https://b.example")))
      #expect(try await !isKnown(other.token(of: "alice", issuer: "https://a.example")))
      #expect(try await !isKnown(other.token(of: "alice", issuer: "https://b.example")))
      let end = Date().timeIntervalSince1970 + 60
      for (issuer, isGood) in [("b", true), ("c", true), ("d", false)] {
        let claims = #"{"iss":"https://\#(issuer).example","aud":"gateway","email":"a@b.example","exp":\#(end)}"#
        #expect(try await isKnown(other.token(claims)) == isGood)
      }
    }
  }

  @Test("is known by the keys that the file has now: a new one counts, and one that is gone does not")
  func reload() async throws {
    try await Rig.with { rig in
      let (old, new) = (try await TokenForge(id: "old"), try await TokenForge(id: "new"))
      let gateway = try await with(rig, "", TokenForge.set(old))
      let (first, second) = (try old.token(of: "alice"), try new.token(of: "alice"))
      func isKnown(_ token: String) async throws -> Bool {
        try await gateway.http.post("/rpc/s/m", headers: Self.bearer(token)).status != 401
      }
      #expect(try await isKnown(first))
      #expect(try await !isKnown(second))
      _ = try rig.directory.file("jwks.json", TokenForge.set(old, new))
      try await eventually("the new key") { try await isKnown(second) }
      #expect(try await isKnown(first))
      // What is broken changes nothing.
      _ = try rig.directory.file("jwks.json", "{")
      _ = try rig.directory.file("jwks.json", TokenForge.set(new))
      try await eventually("the old key to be gone") { try await !isKnown(first) }
      #expect(try await isKnown(second))
    }
  }

  @Test(
    "a file of keys that is emptied, or gone, takes none back, and the log says so",
    arguments: ["", "\n# keys\n", "~\n", nil])
  func emptied(text: String?) async throws {
    try await Rig.with { rig in
      let (key, log) = (APIKey.random(), RecordingLog())
      let file = try rig.directory.file("keys.yaml", "\(key.digest.hex): { subject: alice }\n")
      let gateway = try await rig.gateway(
        "{}", auth: #"{ keys: { file: "\#(file)" }, refresh: 100ms }"#, logger: log.logger())
      if let text { _ = try rig.directory.file("keys.yaml", text) } else { unlink(file) }
      let reason = "\(file) " + (text == nil ? "cannot be read: no such file or directory" : "has no keys; to take")
      try await eventually("the warning") {
        log.lines.contains { $0.hasPrefix("warning: a file of auth has changed") && $0.contains(reason) }
      }
      #expect(try await gateway.http.get("/openapi.json", headers: key.header).status == 200)
      _ = try rig.directory.file("keys.yaml", "{}\n")
      try await eventually("all keys to be taken back") {
        try await gateway.http.get("/openapi.json", headers: key.header).status == 401
      }
    }
  }

  @Test("a file that is broken keeps what it said, and nothing that was taken out of another one")
  func brokenBesideOthers() async throws {
    try await Rig.with { rig in
      let (first, second) = (try await TokenForge(id: "a"), try await TokenForge(id: "b"))
      let (alice, bob) = (APIKey.random(), APIKey.random())
      func line(_ key: APIKey, _ name: String) -> String { "\(key.digest.hex): { subject: \(name) }\n" }
      let keys = try rig.directory.file("keys.yaml", line(alice, "alice") + line(bob, "bob"))
      let files = [
        try rig.directory.file("first.json", TokenForge.set(first)),
        try rig.directory.file("second.json", TokenForge.set(first, second)),
      ]
      let issuers = files.enumerated().map { "{ jwks: \"\($1)\", issuer: i\($0), audience: zmq }" }
      let gateway = try await rig.gateway(
        "{}",
        auth: "{ keys: { file: \"\(keys)\" }, jwt: [\(issuers.joined(separator: ", "))], refresh: 100ms }")
      func status(_ key: APIKey) async throws -> Int {
        try await gateway.http.get("/openapi.json", headers: key.header).status
      }
      #expect(try await [status(alice), status(bob)] == [200, 200])
      _ = try rig.directory.file("first.json", "{bad")
      _ = try rig.directory.file("keys.yaml", line(bob, "bob"))
      try await eventually("the key to be taken back") { try await status(alice) == 401 }
      #expect(try await status(bob) == 200)
    }
  }

  @Test("has a poll as long as that counts")
  func poll() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let forge = try await TokenForge()
      let set = try rig.directory.file("jwks.json", TokenForge.set(forge))
      let gateway = try await rig.gateway(
        "s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"] } }",
        auth: #"{ jwt: { jwks: "\#(set)", issuer: https://id.example, audience: gateway, leeway: 0s } }"#)
      let token = Self.bearer(try forge.token(of: "alice", in: 2))
      let time = try await duration {
        let polled = try await gateway.http.get("/sub/s?topic=a&_poll=60", headers: token)
        #expect(polled.status == 200)
        #expect(polled.json["events"].elements.last?["event"] == "auth", "\(polled.body)")
      }
      #expect(time < .seconds(40))
      // A few milliseconds may be left of it.
      try await eventually("the end of the token") {
        try await gateway.http.get("/sub/s?topic=a&_poll=60", headers: token).status == 401
      }
    }
  }

  @Test(
    "or a key has a stream as long as that counts: then it gets auth, and the stream ends",
    arguments: ["token", "key", "issuer"])
  func streams(kind: String) async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let (forge, other) = (try await TokenForge(id: "a"), try await TokenForge(id: "b"))
      let (key, kept) = (APIKey.random(), APIKey.random())
      let keys = [key, kept].map { "\($0.digest.hex): { subject: alice }\n" }
      let keyFile = try rig.directory.file("keys.yaml", keys.joined())
      let set = try rig.directory.file("jwks.json", TokenForge.set(forge, other))
      let gateway = try await rig.gateway(
        "s: { pattern: pubsub, subscribe: { connect: [\"\(await publisher.endpoint)\"], history: { events: 0 } } }",
        auth:
          #"{ keys: { file: "\#(keyFile)" }, jwt: { jwks: "\#(set)", issuer: https://id.example, audience: gateway, leeway: 0s }, refresh: 100ms }"#,
        threads: 2)
      let ending = kind == "key" ? key.header : Self.bearer(try forge.token(of: "alice", in: kind == "token" ? 2 : 600))
      let stream = try await gateway.http.events("/sub/s?topic=a", headers: ending)
      #expect(stream.head.status == 200)
      let staying = try await gateway.http.events("/sub/s?topic=a", headers: kept.header)
      #expect(try await publisher.subscription() == "+a")
      switch kind {
      case "key": _ = try rig.directory.file("keys.yaml", keys[1])
      case "issuer": _ = try rig.directory.file("jwks.json", TokenForge.set(other))
      default: break
      }
      var last: EventReader.Block?
      while let block = try await stream.event() { last = block }
      #expect(last?.name == "auth")
      #expect(last?.data == #"{"reason":"\#(kind == "token" ? "expired" : "revoked")"}"#)
      #expect(try await gateway.http.events("/sub/s?topic=a", headers: ending).head.status == 401)
      // Others go on.
      try await publisher.publish("a", "m")
      #expect(try await staying.event()?.json["method"] == "m")
      staying.close()
    }
  }

  @Test("or a key watches a call as long as that counts, whenever the next comment is", arguments: ["token", "key"])
  func watches(kind: String) async throws {
    try await Rig.with { rig in
      let (forge, key, kept) = (try await TokenForge(), APIKey.random(), APIKey.random())
      let lines = [key, kept].map { "\($0.digest.hex): { subject: alice }\n" }
      let keys = try rig.directory.file("keys.yaml", lines.joined())
      let gateway = try await with(
        rig, ", leeway: 0s", TokenForge.set(forge), more: ", keys: { file: \"\(keys)\" }",
        service: ", methods: { safe: [get] }, watch: { interval: 1s, heartbeat: 1h }")
      try await eventually("a backend") {
        try await gateway.http.get("/rpc/s/get", headers: kept.header).status == 200
      }
      func watch(_ caller: [String: String]) async throws -> EventReader {
        try await gateway.http.events(
          "/rpc/s/get?_watch=1s", headers: caller.merging(["Accept": "text/event-stream"]) { $1 })
      }
      let staying = try await watch(kept.header)
      defer { staying.close() }
      let stream = try await watch(kind == "key" ? key.header : Self.bearer(try forge.token(of: "alice", in: 2)))
      #expect(try await stream.event()?.data == "null")
      if kind == "key" { _ = try rig.directory.file("keys.yaml", lines[1]) }
      let last = try await stream.event()
      #expect(last?.name == "auth")
      #expect(last?.data == #"{"reason":"\#(kind == "token" ? "expired" : "revoked")"}"#)
      #expect(try await stream.event() == nil)
      // Others go on.
      #expect(try await staying.event()?.data == "null")
    }
  }
}
