import Foundation
import GatewaySecurity
import MessagePack
import Support
import Testing
import ZeroMQ

extension Rig {
  /// Writes a file of keys, and gives `auth` with it and more. Each key belongs to a subject with scopes.
  func auth(_ keys: (key: APIKey, subject: String, scopes: [String])..., rules: String? = nil) throws -> String {
    let lines = keys.map { "\($0.key.digest.hex): { subject: \"\($0.subject)\", scopes: \($0.scopes) }\n" }
    let file = try directory.file("keys.yaml", lines.joined())
    return "{ keys: { file: \"\(file)\" }\(rules.map { ", rules: \($0)" } ?? "") }"
  }
}

extension APIKey {
  /// The header that sends it.
  var header: [String: String] { ["Authorization": "Bearer \(text)"] }
}

@Suite("A caller", .inTurn(minutes: 3))
struct AuthenticationTests {
  static func basic(_ text: String) -> [String: String] {
    ["Authorization": "Basic \(Data(text.utf8).base64EncodedString())"]
  }

  /// A backend that answers everything with nil, and a gateway in front of it that asks for keys.
  private func with(_ rig: Rig, _ auth: String, http: String = "") async throws -> LiveGateway {
    let backend = try await rig.wire(.router, bind: rig.directory.endpoint("s\(UInt16.random(in: .min ... .max))"))
    let gateway = try await rig.gateway(
      "s: { pattern: rpc, connect: [\"\(await backend.endpoint)\"], methods: { safe: [get] } }", http: http, auth: auth,
      threads: 1)
    let answering = Task {
      while !Task.isCancelled {
        if let call = try? await backend.call() { try await backend.answer(call, [0xC0]) }
      }
    }
    rig.cleanup.add { answering.cancel() }
    return gateway
  }

  @Test(
    "of the command line has the key that its environment names",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func command() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let gateway = try await with(rig, rig.auth((key, "alice", [])))
      try await eventually("a backend") { try await gateway.http.post("/rpc/s/m", headers: key.header).status == 200 }
      let call = [try #require(Program.path), "call", "s/m", "--http", "http://127.0.0.1:\(gateway.http.port)"]
      for (value, code) in [(key.text, 0), ("", 1), ("other", 1), ("two words", 1)] as [(String, CInt)] {
        let process = try Subprocess("env", ["ZMQ_GATEWAY_KEY=\(value)"] + call, complaints: .withOutput)
        let output = try await process.rest()
        #expect(try await process.ended() == code, "\(value): \(output)")
        #expect(output.contains("unauthenticated") == (code == 1), "\(value): \(output)")
      }
    }
  }

  @Test("is not whoever looks at a page of a listed origin, unless what the browser keeps may be sent along")
  func keptPassword() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let basic = Self.basic(":\(key.text)")
      for (cors, origin, status) in [
        (#"origins: ["*"]"#, "https://any.example", 401),
        (#"origins: ["https://*.example"]"#, "https://a.example", 401),
        (#"origins: ["https://a.example"]"#, "https://a.example", 401),
        (#"origins: ["https://a.example"], credentials: true"#, "https://a.example", 200),
      ] {
        let gateway = try await with(rig, rig.auth((key, "alice", [])), http: "cors: { \(cors) }")
        try await eventually("a backend") { try await gateway.http.post("/rpc/s/m", headers: key.header).status == 200 }
        let page = ["Origin": origin, "Sec-Fetch-Site": "cross-site"]
        let kept = page.merging(basic) { $1 }
        #expect(try await gateway.http.send("POST", "/rpc/s/m", headers: kept).status == status, "\(cors)")
        #expect(try await gateway.http.get("/rpc/s/get", headers: kept).status == status, "\(cors)")
        // No browser sends that by itself, and programs name no origin.
        #expect(try await gateway.http.post("/rpc/s/m", headers: page.merging(key.header) { $1 }).status == 200)
        #expect(try await gateway.http.post("/rpc/s/m", headers: basic).status == 200)
        // The gateway's own pages, such as the console.
        let own = basic.merging(["Origin": "http://localhost"]) { $1 }
        #expect(try await gateway.http.post("/rpc/s/m", headers: own).status == 200)
        await gateway.stop()
      }
      // What a browser adds to what it fetches for pages of others.
      let gateway = try await with(rig, rig.auth((key, "alice", [])))
      try await eventually("a backend") { try await gateway.http.post("/rpc/s/m", headers: key.header).status == 200 }
      for (page, status) in [
        (["Origin": "https://a.example"], 401), (["Origin": "null"], 401), (["Sec-Fetch-Site": "cross-site"], 401),
        (["Sec-Fetch-Site": "same-site"], 401), (["Sec-Fetch-Site": "none"], 200),
        (["Sec-Fetch-Site": "same-origin"], 200),
      ] {
        #expect(
          try await gateway.http.get("/rpc/s/get", headers: basic.merging(page) { $1 }).status == status, "\(page)")
      }
    }
  }

  @Test("with a key is served, as a bearer or by a password; without one, or with another, is told how to send it")
  func keys() async throws {
    try await Rig.with { rig in
      let (alice, bob) = (APIKey.random(), APIKey.random())
      let gateway = try await with(rig, rig.auth((alice, "alice", []), (bob, "bob", ["read"])))
      try await eventually("a backend") {
        try await gateway.http.post("/rpc/s/m", headers: alice.header).status == 200
      }
      for good in [
        alice.header, bob.header, ["authorization": "bearer  \(alice.text)"], Self.basic("alice:\(alice.text)"),
        Self.basic(":\(bob.text)"),
      ] { #expect(try await gateway.http.post("/rpc/s/m", headers: good).status == 200, "\(good)") }
      #expect(try await gateway.http.get("/rpc/s/get", headers: bob.header).status == 200)
      let none = try await gateway.http.post("/rpc/s/m")
      #expect(none.status == 401 && none.json["code"] == "unauthenticated")
      #expect(none.headers["gateway-error"] == "unauthenticated")
      #expect(
        none.headers["www-authenticate"]
          == "Bearer realm=\"zmq-gateway\"\nBasic realm=\"zmq-gateway\", charset=\"UTF-8\"")
      var answers: Set<String> = []
      for bad in [
        APIKey.random().header, ["Authorization": "Bearer \(alice.text)x"],
        ["Authorization": "Bearer \(alice.digest.hex)"],
        ["Authorization": alice.text], ["Authorization": "Token \(alice.text)"], ["Authorization": ""],
        ["Authorization": "Bearer \(alice.text) \(alice.text)"], Self.basic("bob:\(alice.text)"),
        Self.basic(alice.text), Self.basic("\(alice.text):"), Self.basic("alice:"), ["Authorization": "Basic ?"],
      ] {
        let reply = try await gateway.http.post("/rpc/s/m", headers: bad)
        #expect(reply.status == 401, "\(bad)")
        #expect(reply.headers["www-authenticate"]?.contains(#"error="invalid_token""#) == true)
        answers.insert(reply.json["detail"].text ?? "")
      }
      // In which way it is wrong is not told.
      #expect(answers.count == 1)
      let twice = alice.header.merging(["authorization": "Bearer \(bob.text)"]) { $1 }
      #expect(try await gateway.http.post("/rpc/s/m", headers: twice).status == 400)
    }
  }

  @Test("without a key learns nothing of what is served; probes and the pages of problems are open")
  func paths() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      for prefix in ["", "/api"] {
        let gateway = try await with(rig, rig.auth((key, "k", [])), http: "prefix: \"\(prefix)\"")
        for path in [
          "/", "/rpc/s/m", "/rpc/s/get", "/rpc/absent/m", "/nowhere", "/openapi.json", "/openapi.yaml",
          "/ready?verbose",
          "/sub/s", "/sub/s/topics", "/calls/x", "/batch", "/jsonrpc/s", "/liver", "/%6Cive", "/live/", "/ready?",
        ] {
          for verb in ["GET", "POST", "OPTIONS", "HEAD"] {
            let reply = try await gateway.http.send(
              verb, prefix + path, headers: verb == "POST" ? ["Content-Length": "0"] : [:])
            #expect(reply.status == 401, "\(verb) \(path)")
          }
        }
        #expect(try await gateway.http.send("OPTIONS", "*").status == 401)
        for path in ["/live", "\(prefix)/live", "\(prefix)/problems", "\(prefix)/problems/timeout"] {
          #expect(try await gateway.http.get(path).status == 200, "\(path)")
          #expect(try await gateway.http.get(path, headers: APIKey.random().header).status == 200, "\(path)")
        }
        for path in ["/ready", "\(prefix)/ready"] {
          let reply = try await gateway.http.get(path)
          #expect([200, 503].contains(reply.status), "\(path)")
          #expect(!reply.body.contains("\"s\""))
        }
        #expect(try await gateway.http.get("\(prefix)/ready?verbose", headers: key.header).json["services"] != .null)
        let document = try await gateway.http.get("\(prefix)/openapi.json", headers: key.header)
        #expect(document.status == 200 && document.json["security"].elements.count == 3)
      }
    }
  }

  @Test("is known anew with each request on a connection, and is refused before a long body is read")
  func connection() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let gateway = try await with(rig, rig.auth((key, "k", [])))
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      for headers in [key.header, [:], key.header, APIKey.random().header, [:]] {
        connection.send("GET", "/openapi.json", headers: headers)
        let reply = try await offThread { try connection.reply() }
        #expect(reply.status == (headers == key.header ? 200 : 401))
      }
      let long = try await gateway.http.send("POST", "/rpc/s/m", headers: ["Content-Length": "1000000"])
      #expect(long.status == 401 && long.headers["connection"] == "close")
    }
  }

  @Test("does not get what another one made: calls that go on, and answers of idempotency keys")
  func ownership() async throws {
    try await Rig.with { rig in
      let (alice, bob) = (APIKey.random(), APIKey.random())
      let gateway = try await with(rig, rig.auth((alice, "alice", []), (bob, "bob", [])))
      try await eventually("a backend") {
        try await gateway.http.post("/rpc/s/m", headers: alice.header).status == 200
      }
      let made = try await gateway.http.post(
        "/rpc/s/m", headers: alice.header.merging(["Prefer": "respond-async"]) { $1 })
      let location = try #require(made.headers["location"])
      try await eventually("its end") { try await gateway.http.get(location, headers: alice.header).status == 200 }
      #expect(try await gateway.http.get(location, headers: bob.header).status == 410)
      #expect(try await gateway.http.send("DELETE", location, headers: bob.header).status == 410)
      #expect(try await gateway.http.send("DELETE", location, headers: alice.header).status == 204)
      let key = ["Idempotency-Key": "k1"]
      let first = try await gateway.http.post("/rpc/s/m", headers: alice.header.merging(key) { $1 })
      #expect(first.status == 200 && first.headers["idempotency-replayed"] == nil)
      let other = try await gateway.http.post("/rpc/s/m", headers: bob.header.merging(key) { $1 })
      #expect(other.status == 200 && other.headers["idempotency-replayed"] == nil)
      let again = try await gateway.http.post("/rpc/s/m", headers: alice.header.merging(key) { $1 })
      #expect(again.headers["idempotency-replayed"] == "true")
    }
  }

  @Test("that is a page of a listed origin is asked for no key before it may send one, and reads the refusal")
  func pages() async throws {
    try await Rig.with { rig in
      let key = APIKey.random()
      let gateway = try await with(rig, rig.auth((key, "k", [])), http: #"cors: { origins: ["https://app.example"] }"#)
      let page = ["Origin": "https://app.example"]
      let asking = page.merging([
        "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization",
      ]) { $1 }
      let preflight = try await gateway.http.send("OPTIONS", "/rpc/s/m", headers: asking)
      #expect(preflight.status == 204)
      #expect(preflight.headers["access-control-allow-headers"]?.contains("Authorization") == true)
      let refused = try await gateway.http.post("/rpc/s/m", headers: page)
      #expect(refused.status == 401 && refused.headers["access-control-allow-origin"] == "https://app.example")
      #expect(refused.headers["access-control-expose-headers"]?.contains("WWW-Authenticate") == true)
      #expect(try await gateway.http.get("/openapi.json", headers: page.merging(key.header) { $1 }).status == 200)
    }
  }
}
