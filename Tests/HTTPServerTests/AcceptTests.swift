import HTTPServer
import Support
import Testing

/// What becomes of a connection before its first request is read.
@Suite("Accepting", .timeLimit(.minutes(1)))
struct AcceptTests {
  private func options(connections: Int = 10_000, perAddress: Int = 1_000) -> ServerOptions {
    var options = ServerOptions()
    options.connections = connections
    options.connectionsPerAddress = perAddress
    options.streamPath = "/stream"
    options.reservedPaths = ["/live"]
    return options
  }

  // MARK: Limits

  @Test("a connection beyond a limit gets 503, the last within it does not", arguments: [false, true])
  func limits(isOfAddress: Bool) async throws {
    let options = isOfAddress ? options(perAddress: 3) : options(connections: 3)
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
    try await Fixture.with(options(connections: 2)) { fixture in
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
    try await Fixture.with(options(connections: 1)) { fixture in
      let first = try fixture.connect()
      await fixture.until { _, server in server.connections == 1 }
      for request in [post("/live", ""), get("/lives"), get("http://a/live")] {
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
    try await Fixture.with(options()) { fixture in
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
    try await Fixture.with(options()) { fixture in
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
    try await Fixture.with(options(), openConnections: open) { fixture in
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
    try await Fixture.with(options()) { fixture in
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
    try await Fixture.with(options(), openConnections: open) { fixture in
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

  // MARK: Streams

  @Test("streams in number are served beside calls, by several daemons, and end at the stop")
  func streams() async throws {
    try await Fixture.with(options(connections: 3_000, perAddress: 3_000)) { fixture in
      let clients = try (0..<1_100).map { _ in
        let client = try fixture.connect()
        client.send(get("/stream"))
        return client
      }
      await fixture.until { script, _ in script.streams.count == 1_100 }
      let call = try fixture.connect()
      for _ in 0..<3 {
        call.send(get("/x"))
        #expect(try call.reply().body == "/x 0")
      }
      await fixture.on { script, _ in for stream in script.streams { stream.put("event") } }
      for client in clients {
        #expect(try client.head().status == 200)
        #expect(try client.chunkText() == "event")
      }
      for client in clients.prefix(500) { client.disconnect() }
      await fixture.until { script, server in
        script.streams.count { $0.closures == 1 } == 500 && server.connections == 601
      }
      await fixture.on { script, _ in
        for stream in script.streams where stream.closures == 0 {
          stream.put("last")
          stream.end()
        }
      }
      for client in clients.suffix(600) {
        #expect(try client.chunkText() == "last")
        #expect(try client.chunk() == nil)
        #expect(try client.readToEnd() == "")
      }
      await fixture.until { script, server in script.streams.allSatisfy { $0.closures == 1 } && server.connections == 1
      }
    }
  }

  /// A request for a stream with a head of so many bytes and lines.
  private func head(bytes: Int, lines: Int) -> String {
    let start = "GET /stream HTTP/1.1\r\nHost: a\r\n" + String(repeating: "a:b\r\n", count: lines) + "b:"
    return start + String(repeating: "x", count: bytes - start.utf8.count - 4) + "\r\n\r\n"
  }

  @Test(
    "heads of every length and number of lines within the limits open a stream, which takes long events",
    arguments: [1, 10, 30, 90])
  func heads(lines: Int) async throws {
    try await Fixture.with(options()) { fixture in
      let text = String(repeating: "0123456789abcdef", count: 4_096)
      var count = 0
      for bytes in stride(from: 600, to: 5_000, by: 61) {
        let client = try fixture.connect()
        client.send(head(bytes: bytes, lines: lines))
        count += 1
        await fixture.until { [count] script, _ in script.streams.count == count }
        await fixture.on { script, _ in
          script.streams.last?.put(text)
          script.streams.last?.end()
        }
        let reply = try client.reply()
        #expect(reply.status == 200 && reply.bytes.elementsEqual(text.utf8), "\(bytes)")
      }
      let long = try fixture.connect()
      long.send(head(bytes: 16_000, lines: lines))
      #expect(try long.head().status == 200)
    }
  }

  @Test("what a client sends behind the head of a stream does no harm")
  func behindHead() async throws {
    try await Fixture.with(options()) { fixture in
      for count in [1, 100, 3_000, 100_000] {
        let client = try fixture.connect()
        client.send(get("/stream"))
        #expect(try client.head().status == 200)
        client.send(String(repeating: "x", count: count))
        await fixture.on { script, _ in script.streams.last?.put("event") }
        #expect(try client.chunkText() == "event")
      }
    }
  }

  @Test("a kept connection that asks for a stream gets it where it is, and may ask again")
  func kept() async throws {
    try await Fixture.with(options()) { fixture in
      let client = try fixture.connect()
      for index in 0..<3 {
        client.send(get("/x"))
        #expect(try client.reply().body == "/x 0")
        client.send(get("/stream"))
        await fixture.until { script, _ in script.streams.count == index + 1 }
        await fixture.on { script, _ in
          script.streams[index].put("event")
          script.streams[index].end()
        }
        #expect(try client.reply().body == "event")
      }
    }
  }

  @Test("a HEAD, and a refused stream, close the connection too", arguments: ["HEAD", "GET"])
  func noStream(method: String) async throws {
    try await Fixture.with(options()) { fixture in
      let client = try fixture.connect()
      client.send("\(method) /stream\(method == "GET" ? "?" : "") HTTP/1.1\r\nHost: a\r\n\r\n")
      let reply = try client.reply(isHead: method == "HEAD")
      #expect(reply.status == 200 && reply.headers["connection"] == "close")
      #expect(try client.readToEnd() == "")
      await fixture.until { _, server in server.connections == 0 }
    }
  }
}
