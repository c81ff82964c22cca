import Gateway
import Support
import Testing

@Suite("a request that is refused for its head", .inTurn(minutes: 3))
struct EarlyRefusalTests {
  @Test(
    "keeps its connection when its body is short, however its length is written, and loses it when it is long",
    arguments: [("5", true), ("000000000005", true), ("0099999", true), ("100000", false), ("0000100000", false)])
  func length(written: String, isKept: Bool) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("", threads: 1)
      let client = try HTTPConnection(port: gateway.http.port)
      client.send("POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(written)\r\n\r\n")
      // A short one is answered when it is there.
      if isKept { client.send(String(repeating: "x", count: Int(written) ?? 0)) }
      let reply = try await offThread { try client.reply() }
      #expect(reply.json["code"] == "no-such-route")
      #expect((reply.headers["connection"]?.lowercased() == "close") != isKept)
      guard isKept else { return }
      client.send("GET", "/live")
      #expect(try await offThread { try client.reply().status } == 200)
    }
  }

  /// Request lines and headers that are refused, and the status.
  static let refused = [
    ("POST /nothing", "", 404), ("POST /rpc/nobody/m", "", 404), ("POST /rpc/s/_m", "", 404), ("PUT /rpc/s/m", "", 405),
    ("GET /rpc/s/m", "", 405), ("POST /rpc/s/m", "Accept: text/html\r\n", 406),
    ("POST /rpc/s/m", "Origin: http://evil.example\r\n", 403), ("GET /live", "", 400),
    ("POST http://evil.example/rpc/s/m", "", 421), ("POST /push/s/m", "", 404), ("POST /jsonrpc/nobody", "", 404),
    // What a method, a topic, a batch, a document of JSON-RPC and a route of REST take.
    ("POST /rpc/s/m", "", 415), ("POST /rpc/s/m", "Content-Type: text/html\r\n", 415), ("POST /push/jobs/m", "", 415),
    ("POST /rpc/s/m", "Sec-Fetch-Site: none\r\nContent-Type: application/x-www-form-urlencoded\r\n", 415),
    ("POST /pub/news/t/m", "Content-Type: text/plain\r\n", 415), ("POST /batch", packed, 415), ("PUT /r/1", "", 415),
    ("POST /jsonrpc/s", packed, 415), ("POST /rpc/s/m?_timeout=0", json, 400), ("POST /rpc/s/m?_timeot=1", json, 400),
    ("POST /rpc/s/m?a=1", json, 400), ("POST /rpc/s/m?_timeout", json, 400), ("POST /rpc/s/m?%zz=1", json, 400),
    ("POST /rpc/s/m", json + "Request-Timeout: soon\r\n", 400), ("POST /rpc/s/m", json + "Idempotency-Key:\r\n", 400),
    ("POST /push/jobs/m?_timeout=1", json, 400), ("POST /pub/news/t/m?a=1", json, 400),
    ("POST /push/jobs/m", json + "Idempotency-Key: a b\r\n", 400), ("POST /batch?_timeout=x", json, 400),
    ("POST /batch?a=1", json, 400), ("POST /jsonrpc/s", json + "Request-Timeout: 0\r\n", 400),
    ("POST /jsonrpc/s?a=1", json, 400), ("PUT /r/1?b=1", json, 400), ("PUT /r/1?_timeout=x", json, 400),
    ("DELETE /calls/x?a=1", "", 400), ("POST /rpc/s/m?_timeout=1", json + "Request-Timeout:\r\n", 400),
  ]
  static let json = "Content-Type: application/json\r\n"
  static let packed = "Content-Type: application/msgpack\r\n"

  static let services = """
    s: { pattern: rpc, connect: ["ipc:///nowhere/x"], routes: { "PUT /r/{id}": "m(id:int,a:int?)" } }
    jobs: { pattern: pipeline, connect: ["ipc:///nowhere/y"] }
    news: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/z"] } }
    """

  /// Heads of requests that are served, if the body is right.
  static let served = [
    ("POST /rpc/s/m?_timeout=1", json), ("POST /rpc/s/m", packed),
    ("POST /rpc/s/m?_timeout=1", json + "Request-Timeout: 2\r\n"),
    ("POST /push/jobs/m", json + "Idempotency-Key: a\r\n"),
    ("POST /rpc/s/m", "Content-Type: application/x-www-form-urlencoded\r\n"), ("PUT /r/1?a=1", json),
    ("POST /pub/news/t/m", "Content-Type: application/vnd.x+json; charset=utf-8\r\n"), ("POST /batch", json),
    ("POST /jsonrpc/s", "Content-Type: application/json-rpc\r\nRequest-Timeout: 2\r\n"),
  ]

  @Test(
    "is not one whose head is right: its client is asked for the body",
    arguments: ["Content-Length: 1", "Transfer-Encoding: chunked"])
  func asked(length: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(Self.services, http: "chunked: accept", threads: 1)
      for (line, header) in Self.served {
        let client = try HTTPConnection(port: gateway.http.port)
        client.send("\(line) HTTP/1.1\r\nHost: localhost\r\n\(header)\(length)\r\nExpect: 100-continue\r\n\r\n")
        let head = try await offThread { try client.read(through: "\r\n\r\n") }
        #expect(head == "HTTP/1.1 100 Continue\r\n\r\n", "\(line) \(header)")
      }
    }
  }

  @Test("by the type of its body, is not one that may yet have none")
  func emptyInChunks() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(Self.services, http: "chunked: accept", threads: 1)
      let client = try HTTPConnection(port: gateway.http.port)
      client.send("POST /rpc/s/m HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
      #expect(try await offThread { try client.reply().json["code"] } == "no-backend")
    }
  }

  @Test(
    "is refused at once when its client waits to be asked for the body",
    arguments: ["Content-Length: 5", "Content-Length: 500000", "Transfer-Encoding: chunked"])
  func expecting(length: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(Self.services, http: "chunked: accept", threads: 1)
      for (line, header, status) in Self.refused {
        let client = try HTTPConnection(port: gateway.http.port)
        client.send("\(line) HTTP/1.1\r\nHost: localhost\r\n\(header)\(length)\r\nExpect: 100-continue\r\n\r\n")
        // Nothing comes before it, and nothing behind it.
        let reply = try await offThread { try client.reply() }
        #expect(reply.status == status, "\(line) \(header)")
        #expect(reply.headers["content-type"] == "application/problem+json")
        #expect(try await offThread { try client.readToEnd() } == "")
      }
    }
  }

  @Test("or whose body never comes is accounted for: refused, or left by its client")
  func accounts() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(#"s: { pattern: rpc, connect: ["ipc:///nowhere/x"] }"#, threads: 1)
      for body in ["abc", ""] {
        let client = try HTTPConnection(port: gateway.http.port)
        client.send("POST /rpc/s/m HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n" + body)
        try await eventually("it to begin") { await gateway.gateway.accounts.underWay == 1 }
        client.reset()
        try await eventually("its end") { await gateway.gateway.accounts.underWay == 0 }
      }
      #expect(try await gateway.http.get("/live").status == 200)
      #expect(try await gateway.http.post("/rpc/s/m", "[]").status == 503)
      #expect(try await gateway.http.post("/rpc/s/_m", "[]").status == 404)
      #expect(try await gateway.http.post("/live", headers: ["Host": "again"]).status == 400)
      let accounts = await gateway.gateway.accounts
      #expect(accounts.accepted == 6)
      #expect(accounts.answered == 1)
      #expect(accounts.refused == 3)
      #expect(accounts.failed == 0)
      #expect(accounts.abandoned == 2)
    }
  }
}
