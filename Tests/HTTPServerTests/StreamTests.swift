import HTTPServer
import Support
import Testing

@Suite("Streams", .inTurn(minutes: 3))
struct StreamTests {
  private func open(_ fixture: Fixture, _ count: Int = 1) async throws -> [HTTPConnection] {
    let clients = try (0..<count).map { _ in try fixture.connect() }
    for client in clients { client.send(get("/stream")) }
    await fixture.until { script, _ in script.streams.count == count }
    for client in clients { #expect(try client.head().headers["transfer-encoding"] == "chunked") }
    return clients
  }

  @Test("the head comes before the first byte, and bytes as soon as they are there")
  func atOnce() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      for text in ["one", "two"] {
        await fixture.on { script, _ in script.streams[0].put(text) }
        #expect(try client.chunkText() == text)
      }
    }
  }

  @Test("two wake-ups in one turn make one read with both")
  func twice() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      await fixture.on { script, _ in
        script.streams[0].put("one")
        script.streams[0].put("two")
      }
      #expect(try client.chunkText() == "onetwo")
    }
  }

  @Test("a stream that ends leaves the connection usable")
  func end() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      await fixture.on { script, _ in
        script.streams[0].put("last")
        script.streams[0].end()
      }
      #expect(try client.chunkText() == "last")
      #expect(try client.chunkText() == "")
      client.send(get("/x"))
      #expect(try client.reply().body == "/x 0")
      #expect(await fixture.on { script, _ in script.streams[0].closures } == 1)
      #expect(await fixture.on { _, server in server.isIdle })
    }
  }

  @Test(
    "a client that sends 8 KiB behind the request of a stream, which nobody reads, is taken to have left; with less it goes on"
  )
  func surplus() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      client.send(String(repeating: "x", count: 8_191))
      await fixture.on { script, _ in script.streams[0].put("one") }
      #expect(try client.chunkText() == "one")
      #expect(await fixture.on { script, _ in script.streams[0].closures } == 0)
      client.send("x")
      await fixture.until { script, server in script.streams[0].closures == 1 && server.isIdle }
    }
  }

  @Test("on a connection that has had a stream, requests of any length follow each other")
  func afterwards() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      await fixture.on { script, _ in script.streams[0].end() }
      #expect(try client.chunkText() == "")
      for _ in 0..<3 {
        client.send(
          "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n" + String(repeating: "x", count: 20_000)
        )
        #expect(try client.reply().body == "/x 20000")
      }
    }
  }

  @Test("HTTP/1.0 gets a stream until the connection closes")
  func oldVersion() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET /stream HTTP/1.0\r\n\r\n")
      await fixture.until { script, _ in script.streams.count == 1 }
      let text = String(repeating: "0123456789", count: 1_000)
      await fixture.on { script, _ in
        script.streams[0].put(text)
        script.streams[0].end()
      }
      #expect(try client.readToEnd().hasSuffix("\r\n\r\n" + text))
    }
  }

  @Test("a stream without news is not read again")
  func quiet() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      let other = try fixture.connect()
      for _ in 0..<20 {
        other.send(get("/"))
        #expect(try other.reply().status == 200)
      }
      #expect(await fixture.on { script, _ in script.streams[0].reads } == 1)
      await fixture.on { script, _ in script.streams[0].put("x") }
      #expect(try client.chunkText() == "x")
    }
  }

  @Test("a hundred streams woken in one turn all get their bytes")
  func many() async throws {
    try await Fixture.with { fixture in
      let clients = try await open(fixture, 100)
      await fixture.on { script, _ in for stream in script.streams { stream.put("event") } }
      for client in clients { #expect(try client.chunkText() == "event") }
    }
  }

  @Test("much data passes a slow reader whole")
  func backPressure() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      let text = String(repeating: "0123456789abcdef", count: 1 << 18)
      await fixture.on { script, _ in
        script.streams[0].put(text)
        script.streams[0].end()
      }
      var received = ""
      while true {
        let chunk = try client.chunkText()
        if chunk.isEmpty { break }
        received += chunk
      }
      #expect(received == text)
    }
  }

  @Test("a client that leaves closes its stream once", arguments: [false, true])
  func gone(byReset: Bool) async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      if byReset { client.reset() } else { client.disconnect() }
      await fixture.until { script, server in script.streams[0].closures == 1 && server.connections == 0 }
      await fixture.on { script, _ in script.streams[0].put("too late") }
      #expect(await fixture.on { script, server in script.streams[0].closures == 1 && server.isIdle })
    }
  }

  @Test("a client that has left when its stream begins closes it")
  func goneBefore() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(post("/later", "") + get("/stream"))
      client.finishSending()
      await fixture.until { script, _ in script.waiting.count == 1 }
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().body == "later")
      await fixture.until { script, server in script.streams.first?.closures == 1 && server.connections == 0 }
    }
  }

  @Test("a client that leaves while the stream is writing closes it once")
  func goneWhileWriting() async throws {
    try await Fixture.with { fixture in
      let client = try await open(fixture)[0]
      let text = String(repeating: "0123456789abcdef", count: 1 << 19)
      await fixture.on { script, _ in script.streams[0].put(text) }
      _ = try client.chunkText()
      client.disconnect()
      await fixture.until { script, server in script.streams[0].closures == 1 && server.connections == 0 }
    }
  }

  @Test(
    "a stream that is over is released while an older connection rests", arguments: ["1.1", "1.0"],
    ["reset", "closed", "ended"])
  func behindResting(version: String, end: String) async throws {
    try await Fixture.with { fixture in
      let resting = try fixture.connect()
      resting.send(get("/"))
      #expect(try resting.reply().status == 200)
      let client = try fixture.connect()
      client.send("GET /stream HTTP/\(version)\r\nHost: a\r\nConnection: close\r\n\r\n")
      await fixture.until { script, _ in script.streams.first?.reads == 1 }
      switch end {
      case "reset": client.reset()
      case "closed": client.disconnect()
      default: await fixture.on { script, _ in script.streams[0].end() }
      }
      await fixture.until { script, server in script.streams[0].closures == 1 && server.connections == 1 }
      resting.send(get("/"))
      #expect(try resting.reply().status == 200)
    }
  }

  @Test("streams whose clients leave at once while events are written are all released")
  func manyGone() async throws {
    try await Fixture.with { fixture in
      let resting = try fixture.connect()
      resting.send(get("/"))
      #expect(try resting.reply().status == 200)
      for _ in 0..<5 {
        let clients = try await open(fixture, 100)
        for (index, client) in clients.enumerated() {
          if index.isMultiple(of: 20) {
            await fixture.on { script, _ in for stream in script.streams { stream.put("x") } }
          }
          if index.isMultiple(of: 2) { client.reset() } else { client.disconnect() }
        }
        await fixture.until { script, server in
          script.streams.allSatisfy { $0.closures == 1 } && server.connections == 1
        }
        await fixture.on { script, _ in script.clear() }
      }
    }
  }
}
