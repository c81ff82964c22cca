import HTTPServer
import Support
import Testing

/// What becomes of a connection before its first request is read.
@Suite("Accepting", .inTurn(minutes: 3))
struct AcceptTests {
  // MARK: Limits

  @Test("a connection beyond a limit gets 503, the last within it does not", arguments: [false, true])
  func limits(isOfAddress: Bool) async throws {
    let options = isOfAddress ? ServerOptions.accepting(perAddress: 3) : .accepting(connections: 3)
    try await Fixture.with(options) { fixture in
      var clients: [HTTPConnection] = []
      for count in 1...4 {
        clients.append(try fixture.connect())
        await fixture.until { _, server in server.connections == count }
      }
      for client in clients { client.send(get("/")) }
      #expect(try clients.map { try $0.reply().status } == [200, 200, 200, 503])
      #expect(try clients[3].readToEnd() == "")
      // A place that is given back is free, whatever was refused meanwhile.
      clients[0].disconnect()
      await fixture.until { _, server in server.connections == 2 }
      let next = try fixture.connect()
      next.send(get("/"))
      #expect(try next.reply().status == 200)
    }
  }

  @Test("servers share the limits when they are given the same ones", arguments: [false, true])
  func shared(isOfAddress: Bool) async throws {
    let open = isOfAddress ? OpenConnections(limit: 9, perAddress: 2) : OpenConnections(limit: 2, perAddress: 9)
    try await Fixture.with(openConnections: open) { first in
      try await Fixture.with(openConnections: open) { second in
        let clients = try [first.connect(), second.connect()]
        await first.until { _, server in server.connections == 1 }
        await second.until { _, server in server.connections == 1 }
        #expect(open.count == 2)
        for fixture in [first, second] {
          let beyond = try fixture.connect()
          beyond.send(get("/"))
          #expect(try beyond.reply().status == 503)
        }
        clients[0].disconnect()
        await first.until { _, server in server.connections == 0 }
        let next = try second.connect()
        next.send(get("/"))
        #expect(try next.reply().status == 200)
      }
    }
    #expect(open.count == 0)
  }

  @Test(
    "however many silent connections are beyond the limit, one that asks at once is told, and the reserve is served")
  func reserve() async throws {
    try await Fixture.with(.accepting(connections: 2)) { fixture in
      var silent = try (0..<2).map { _ in try fixture.connect() }
      await fixture.until { _, server in server.connections == 2 }
      for _ in 0..<200 {
        silent.append(try fixture.connect())
        #expect(await fixture.on { _, server in server.connections <= 2 + Server.surplus })
      }
      for (target, status) in [("/live", 200), ("/", 503), ("/live?x", 200), ("/stream", 503)] {
        let client = try fixture.connect()
        client.send(get(target) + get("/second"))
        let reply = try client.reply()
        #expect(reply.status == status)
        // One request only: another would have found its way past the limit.
        #expect(reply.headers["connection"] == "close")
        #expect(try client.readToEnd() == "")
      }
      #expect(await fixture.on { script, _ in script.handled } == 2)
      // The first to come were within the limit, and stay; the oldest beyond it had to go.
      #expect(try silent[2].readToEnd() == "")
      for client in silent.prefix(2) {
        client.send(get("/"))
        #expect(try client.reply().status == 200)
      }
    }
  }

  @Test("the reserve is no way around the limits: kept connections, other methods and other paths are refused")
  func noDetour() async throws {
    try await Fixture.with(.accepting(connections: 1)) { fixture in
      let first = try fixture.connect()
      await fixture.until { _, server in server.connections == 1 }
      // A body is not waited for.
      let withBody = "GET /live HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
      for request in [post("/live", ""), get("/lives"), get("http://a/lives"), withBody] {
        let client = try fixture.connect()
        client.send(request)
        #expect(try client.reply().status == 503)
      }
      first.send(get("/"))
      #expect(try first.reply().status == 200)
    }
  }

  // MARK: Before the hand-over

  @Test(
    "what says too little is closed at the read timeout, counted from its opening",
    arguments: ["", "G", "GET /stream HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\n"])
  func deadline(part: String) async throws {
    try await Fixture.with(.accepting()) { fixture in
      let client = try fixture.connect()
      await fixture.until { _, server in server.connections == 1 }
      await fixture.advance(by: .seconds(6))
      client.send(part)
      for _ in 0..<3 { await fixture.on { _, _ in } }
      #expect(await fixture.on { _, server in server.connections } == 1)
      await fixture.advance(by: .seconds(5))
      #expect(try client.readToEnd() == "")
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("a head that comes byte by byte is served wherever it goes", arguments: ["/", "/stream", "/streaming"])
  func trickle(target: String) async throws {
    try await Fixture.with(.accepting()) { fixture in
      let client = try fixture.connect()
      for byte in get(target).utf8 {
        client.send([byte])
        await fixture.on { _, _ in }
      }
      #expect(try client.head().status == 200)
    }
  }

  @Test(
    "a client that leaves before it says enough is let go of",
    arguments: ["", "G", "GET /stream HTTP/1.1\r\n", "POST / HTTP/1.1\r\n"], [false, true])
  func gone(part: String, byReset: Bool) async throws {
    let open = OpenConnections(limit: 9, perAddress: 9)
    try await Fixture.with(.accepting(), openConnections: open) { fixture in
      let client = try fixture.connect()
      await fixture.until { _, server in server.connections == 1 }
      client.send(part)
      for _ in 0..<3 { await fixture.on { _, _ in } }
      if byReset { client.reset() } else { client.disconnect() }
      for _ in 0..<3 { await fixture.on { _, _ in } }
      await fixture.advance(by: .seconds(2))
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      #expect(open.count == 0)
    }
  }

  @Test("a client that sends its request and its end at once gets its answer", arguments: ["/", "/later"])
  func halfClosed(target: String) async throws {
    try await Fixture.with(.accepting()) { fixture in
      let client = try fixture.connect()
      await fixture.until { _, server in server.connections == 1 }
      client.send(get(target))
      client.finishSending()
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().status == 200)
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("those that wait are served after a quiesce, and closed at the stop")
  func stop() async throws {
    let open = OpenConnections(limit: 99, perAddress: 99)
    try await Fixture.with(.accepting(), openConnections: open) { fixture in
      let clients = try (0..<40).map { _ in try fixture.connect() }
      for client in clients { client.send("GET /stream") }
      await fixture.on { _, server in server.quiesce() }
      #expect(open.count == 40)
      #expect(throws: HTTPConnection.Closed.self) { try fixture.connect() }
      for client in clients.prefix(20) { client.send("ing HTTP/1.1\r\nHost: a\r\n\r\n") }
      for client in clients.prefix(20) { #expect(try client.reply().headers["connection"] == "close") }
      await fixture.on { _, server in
        server.stop()
        #expect(server.connections == 0)
      }
      for client in clients.suffix(20) { _ = try? client.readToEnd() }
      #expect(open.count == 0)
    }
  }
}

extension ServerOptions {
  /// Streams at `/stream`, and `/live` beyond the limits too.
  static func accepting(connections: Int = 10_000, perAddress: Int = 1_000) -> ServerOptions {
    var options = ServerOptions()
    options.connections = connections
    options.connectionsPerAddress = perAddress
    options.streamPath = "/stream"
    options.reservedPaths = ["/live"]
    return options
  }
}
