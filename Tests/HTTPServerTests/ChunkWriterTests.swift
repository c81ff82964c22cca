import Reactor
import Support
import Testing

@testable import HTTPServer

@Suite("Streams past libmicrohttpd", .inTurn(minutes: 3))
struct ChunkWriterTests {
  /// A client whose stream sleeps for the first time: from here on it is written past libmicrohttpd.
  private func sleeping(_ fixture: Fixture, version: String = "1.1") async throws -> HTTPConnection {
    let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
    client.send("GET /stream HTTP/\(version)\r\nHost: a\r\n\r\n")
    _ = try client.read(through: "\r\n\r\n")
    await fixture.until { script, _ in script.streams.last?.reads == 1 }
    return client
  }

  @Test("each piece is a chunk of its length", arguments: [1, 15, 16, 255, 256, 4_095, 4_096, 4_097, 20_000])
  func framing(length: Int) async throws {
    try await Fixture.with { fixture in
      let client = try await sleeping(fixture)
      let text = String((0..<length).map { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0 % 26))) })
      await fixture.on { script, _ in script.streams[0].put(text) }
      var received = ""
      while received.utf8.count < length {
        let chunk = try client.chunkText()
        #expect(chunk.utf8.count == min(ChunkWriter.pieceSize, length - received.utf8.count))
        received += chunk
      }
      #expect(received == text)
      await fixture.on { script, _ in script.streams[0].put("next") }
      #expect(try client.chunkText() == "next")
    }
  }

  @Test("the chunk of a piece, and the end of the body, look as libmicrohttpd writes them")
  func bytes() async throws {
    try await Fixture.with { fixture in
      let client = try await sleeping(fixture)
      await fixture.on { script, _ in
        script.streams[0].put("0123456789")
        script.streams[0].end()
      }
      #expect(try client.read(through: "\r\n0\r\n\r\n") == "A\r\n0123456789\r\n0\r\n\r\n")
      client.send(get("/x"))
      #expect(try client.reply().body == "/x 0")
    }
  }

  @Test("HTTP/1.0 gets the pieces as they are")
  func unframed() async throws {
    try await Fixture.with { fixture in
      let client = try await sleeping(fixture, version: "1.0")
      await fixture.on { script, _ in script.streams[0].put("one") }
      #expect(try client.read(count: 3) == Array("one".utf8))
      let long = String(repeating: "0123456789", count: 100_000)
      await fixture.on { script, _ in
        script.streams[0].put(long)
        script.streams[0].end()
      }
      #expect(try client.readToEnd() == long)
    }
  }

  @Test("what a client does not take is kept, one piece of it at most, and written when it reads again")
  func rest() async throws {
    try await Fixture.with { fixture in
      let client = try await sleeping(fixture)
      let text = String(repeating: "0123456789abcdef", count: 1 << 18)
      await fixture.on { script, _ in script.streams[0].put(text) }
      let reads = await block(fixture)
      // To be woken while it is blocked changes nothing.
      await fixture.on { script, _ in script.streams[0].put("end") }
      #expect(await block(fixture) == reads)
      var received = ""
      while received.utf8.count < text.utf8.count + 3 { received += try client.chunkText() }
      #expect(received == text + "end")
      await fixture.on { script, _ in script.streams[0].put("more") }
      #expect(try client.chunkText() == "more")
    }
  }

  /// Waits until the client takes no more. Returns how often the stream was read until then.
  private func block(_ fixture: Fixture) async -> Int {
    var last = 0
    while true {
      // In each turn it is read again, unless it is blocked.
      let reads = await fixture.on { script, _ in script.streams[0].reads }
      if reads == last, reads > 1 { return reads }
      last = reads
    }
  }

  @Test("a blocked stream whose client leaves is closed once", arguments: [false, true])
  func goneWhileBlocked(byReset: Bool) async throws {
    try await Fixture.with { fixture in
      let client = try await sleeping(fixture)
      await fixture.on { script, _ in script.streams[0].put(Script.longText) }
      _ = await block(fixture)
      if byReset { client.reset() } else { client.disconnect() }
      await fixture.until { script, server in
        script.streams[0].closures == 1 && server.connections == 0 && server.isIdle
      }
    }
  }

  @Test("of very many streams that are woken at once, a hundred are written in a turn, and all in the end")
  func turns() async throws {
    try await Fixture.with { fixture in
      var clients: [HTTPConnection] = []
      for _ in 0..<250 { clients.append(try fixture.connect()) }
      for client in clients { client.send(get("/stream")) }
      await fixture.until { script, _ in script.streams.count == 250 && script.streams.allSatisfy { $0.reads == 1 } }
      let written = Guarded<[Int]>([])
      await fixture.until { script, _ in
        let count = script.streams.count { $0.reads > 1 }
        written.withLock { written in
          if written.isEmpty { for stream in script.streams { stream.put("event") } }
          written.append(count)
        }
        return count == 250
      }
      for client in clients {
        _ = try client.head()
        #expect(try client.chunkText() == "event")
      }
      #expect(written.withLock { $0 } == [0, 100, 200, 250])
    }
  }

  @Test("what streams have when the server stops is written first")
  func stop() async throws {
    try await Fixture.with { fixture in
      let clients = try [await sleeping(fixture), await sleeping(fixture)]
      await fixture.on { script, server in
        for stream in script.streams { stream.put("last") }
        script.streams[1].end()
        server.stop()
      }
      #expect(try clients[0].chunkText() == "last")
      #expect(try clients[0].isAtEnd())
      #expect(try clients[1].read(through: "0\r\n\r\n") == "4\r\nlast\r\n0\r\n\r\n")
    }
  }
}
