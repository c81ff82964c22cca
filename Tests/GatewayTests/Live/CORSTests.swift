import MessagePack
import Support
import Testing
import ZeroMQ

/// What browsers are told of pages of other origins. What browsers make of it is shown by the last test.
@Suite("A page of another origin", .inTurn(minutes: 3))
struct CORSTests {
  static let cors = #"cors: { origins: ["https://app.example", "https://*.shop.example"], max-age: 90s }"#
  static let app = ["Origin": "https://app.example"]
  static let shop = ["Origin": "https://a.shop.example"]
  static let stranger = ["Origin": "https://evil.example"]
  static let asking = ["Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"]

  /// Whether the answer may be read by a page of that origin, and says what it should; else that it says nothing.
  private func check(_ reply: HTTPReply, readableBy origin: String?, _ comment: Comment) {
    #expect(reply.headers["access-control-allow-origin"] == origin, comment)
    #expect(
      reply.headers["cross-origin-resource-policy"] == (origin == nil ? "same-origin" : "cross-origin"), comment)
    let exposed = reply.headers["access-control-expose-headers"] ?? ""
    for name in ["Gateway-Error", "Server-Timing"] { #expect(exposed.contains(name) == (origin != nil), comment) }
    #expect(reply.headers["access-control-allow-credentials"] == nil, comment)
  }

  @Test("that is listed calls and reads what comes of it; one that is not listed does neither")
  func calls() async throws {
    try await Rig.with { rig in
      let (backend, gateway) = try await rig.backend("methods: { safe: [get] }", http: Self.cors)
      for (headers, origin) in [(Self.app, "https://app.example"), (Self.shop, "https://a.shop.example")] {
        let headers = headers.merging(["Sec-Fetch-Site": "cross-site"]) { $1 }
        let call = Task { try await gateway.http.post("/rpc/s/m", "[1]", headers: headers) }
        try await backend.answerNext(.int(7))
        let reply = try await call.value
        #expect(reply.status == 200 && reply.body == "7")
        check(reply, readableBy: origin, "\(origin)")
        #expect(reply.headers["vary"] == "Origin")
      }
      let refused = try await gateway.http.post("/rpc/s/m", "[1]", headers: Self.stranger)
      #expect(refused.status == 403 && refused.headers["gateway-error"] == "cross-site")
      check(refused, readableBy: nil, "refused")
      #expect(refused.headers["vary"] == "Origin")
      let read = Task { try await gateway.http.get("/rpc/s/get", headers: Self.stranger) }
      try await backend.answerNext(.int(8))
      check(try await read.value, readableBy: nil, "read")
      let both = Self.stranger.merging(["origin": "https://app.example"]) { $1 }
      #expect(try await gateway.http.post("/rpc/s/m", headers: both).status == 403)
    }
  }

  @Test("asks first, and is told before its path is looked at; one that is not listed is refused")
  func preflight() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(http: Self.cors)
      for target in ["/rpc/s/m", "/nowhere", "/rpc/absent/m", "/sub/s", "/live"] {
        let reply = try await gateway.http.send("OPTIONS", target, headers: Self.app.merging(Self.asking) { $1 })
        #expect(reply.status == 204, "\(target)")
        check(reply, readableBy: "https://app.example", "\(target)")
        #expect(reply.headers["access-control-max-age"] == "90")
        #expect(reply.headers["access-control-allow-methods"]?.contains("POST") == true)
        for name in ["Content-Type", "Request-Timeout", "Idempotency-Key", "Authorization"] {
          #expect(reply.headers["access-control-allow-headers"]?.contains(name) == true)
        }
        let refused = try await gateway.http.send("OPTIONS", target, headers: Self.stranger.merging(Self.asking) { $1 })
        #expect(refused.status == 403, "\(target)")
        check(refused, readableBy: nil, "\(target)")
        #expect(refused.headers["access-control-allow-methods"] == nil)
      }
      // Without the question it is an OPTIONS like any other.
      let plain = try await gateway.http.send("OPTIONS", "/rpc/s/m", headers: Self.app)
      #expect(plain.headers["allow"] == "POST, OPTIONS" && plain.headers["access-control-allow-methods"] == nil)
      #expect(try await gateway.http.send("OPTIONS", "/nowhere", headers: Self.app).status == 404)
    }
  }

  @Test("reads every kind of answer: problems, refusals of HTTP itself, those before the body, streams")
  func everything() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(http: Self.cors + "\nlimits: { target: 100B, body: 10B }")
      let origin = "https://app.example"
      check(try await gateway.http.get("/nowhere", headers: Self.app), readableBy: origin, "404")
      check(try await gateway.http.send("HEAD", "/live", headers: Self.app), readableBy: origin, "HEAD")
      let long = try await gateway.http.get("/" + String(repeating: "x", count: 200), headers: Self.app)
      #expect(long.status == 414)
      let early = Self.app.merging(["Content-Length": "1000000"]) { $1 }
      let refused = try await gateway.http.send("POST", "/nowhere", headers: early)
      #expect(refused.status == 404 && refused.headers["connection"] == "close")
      check(refused, readableBy: origin, "early")
      let body = try await gateway.http.post("/batch", "[             ]", headers: Self.app)
      #expect(body.status == 413)
      check(body, readableBy: origin, "413")
      let stream = try await gateway.http.events("/sub/s", headers: Self.app)
      #expect(stream.head.status == 200)
      check(stream.head, readableBy: origin, "stream")
      stream.close()
      let hidden = try await gateway.http.events("/sub/s", headers: Self.stranger)
      #expect(hidden.head.status == 200)
      check(hidden.head, readableBy: nil, "stream")
      hidden.close()
    }
  }

  @Test("leaves nothing on its connection for the request of another one")
  func connection() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend(http: Self.cors)
      let connection = try HTTPConnection(port: gateway.http.port)
      defer { connection.disconnect() }
      let origins: [[String: String]] = [Self.app, [:], Self.shop, Self.stranger, [:]]
      for headers in origins {
        connection.send("GET", "/live", headers: headers)
        let reply = try await offThread { try connection.reply() }
        check(reply, readableBy: headers == Self.stranger ? nil : headers["Origin"], "\(headers)")
        #expect(reply.headers["vary"] == "Origin")
      }
    }
  }

  @Test("gets no CORS header where nothing is listed, nor does anybody")
  func unused() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.backend()
      for headers in [[:], Self.app] {
        let reply = try await gateway.http.get("/live", headers: headers)
        check(reply, readableBy: nil, "\(headers)")
        #expect(reply.headers["vary"] == nil)
      }
    }
  }

  @Test("has credentials sent along where they are allowed, and is named then; all pages together are not")
  func credentials() async throws {
    try await Rig.with { rig in
      let services = "s: { pattern: rpc, connect: [\"ipc:///nowhere/a\"] }"
      let one = try await rig.gateway(
        services, http: #"cors: { origins: ["https://app.example"], credentials: true }"#, threads: 1)
      let reply = try await one.http.get("/live", headers: Self.app)
      #expect(reply.headers["access-control-allow-origin"] == "https://app.example")
      #expect(reply.headers["access-control-allow-credentials"] == "true")
      let all = try await rig.gateway(services, http: #"cors: { origins: ["*"] }"#, threads: 1)
      for headers in [Self.app, Self.stranger, ["Origin": "null"]] {
        check(try await all.http.get("/live", headers: headers), readableBy: "*", "\(headers)")
        #expect(try await all.http.send("OPTIONS", "/x", headers: headers.merging(Self.asking) { $1 }).status == 204)
      }
    }
  }

  @Test(
    "shown by Chromium does with a listed origin what it cannot with another",
    .enabled("\(Browser.comment)") { try await Browser.isThere() })
  func browser() async throws {
    try await Rig.with { rig in
      let process = try Browser.start("cors_pages.py")
      rig.cleanup.add { await process.destroy() }
      let pages = try #require(try await process.line().flatMap { JSON($0) }?["port"].integer)
      let backend = try await rig.wire(.router)
      let gateway = try await rig.gateway(
        """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"], timeout: 50s, methods: { safe: [safe] } }
        news: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/b"] } }
        """, http: #"cors: { origins: ["http://listed.example:\#(pages)", "http://*.below.example:\#(pages)"] }"#,
        threads: 1)
      try await gateway.reaches(backend)
      let answering = Task {
        while !Task.isCancelled {
          if let call = try? await backend.call() { try await backend.answer(call, Value.string("r").packed) }
        }
      }
      defer { answering.cancel() }
      process.write("\(gateway.http.port)\n")
      var seen: [String: String] = [:]
      while let line = try await process.line() {
        if let line = JSON(line) { seen[line["name"].text ?? ""] = line["seen"].text }
      }
      for page in ["listed", "a.below"] {
        for what in ["call", "empty", "fetch"] {
          #expect(seen["\(page) \(what)"] == #"200 null "r""#, "\(page) \(what)")
        }
        #expect(seen["\(page) problem"]?.hasPrefix("404 no-such-route {") == true, "\(seen["\(page) problem"] ?? "")")
        #expect(seen["\(page) events"] == "open", "\(page)")
      }
      for page in ["below", "evil"] {
        for what in ["call", "empty", "fetch", "problem"] {
          #expect(seen["\(page) \(what)"] == "TypeError", "\(page) \(what)")
        }
        #expect(seen["\(page) script"] == "error" && seen["\(page) events"] == "error", "\(page)")
      }
    }
  }
}
