import HTTPServer
import Support
import Testing

/// Streams whose connections have little memory.
@Suite("Daemons of streams", .inTurn(minutes: 3))
struct StreamDaemonTests {
  @Test("streams in number are served beside calls, by several daemons, and end at the stop")
  func streams() async throws {
    try await Fixture.with(.accepting(connections: 3_000, perAddress: 3_000)) { fixture in
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
    try await Fixture.with(.accepting()) { fixture in
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

  @Test("what a client sends behind the head of a stream does no harm while it is less than 8 KiB")
  func behindHead() async throws {
    try await Fixture.with(.accepting()) { fixture in
      for count in [1, 100, 3_000, 8_191] {
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
    try await Fixture.with(.accepting()) { fixture in
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
    try await Fixture.with(.accepting()) { fixture in
      let client = try fixture.connect()
      client.send("\(method) /stream\(method == "GET" ? "?" : "") HTTP/1.1\r\nHost: a\r\n\r\n")
      let reply = try client.reply(isHead: method == "HEAD")
      #expect(reply.status == 200 && reply.headers["connection"] == "close")
      #expect(try client.readToEnd() == "")
      await fixture.until { _, server in server.connections == 0 }
    }
  }
}
