import HTTPServer
import Reactor
import Support
import Testing

@Suite("Refusals of a body", .inTurn(minutes: 3))
struct BodyRefusalTests {
  @Test("a handler may answer before the body")
  func early() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(post("/early", String(repeating: "x", count: 300_000)))
      #expect(try client.reply().body == "early")
      #expect(try client.readToEnd() == "")
      await fixture.until { script, server in script.handled == 0 && server.connections == 0 }
    }
  }

  @Test("an answer before the body survives a body on its way", arguments: ["/early", "/echo"])
  func bodyOnItsWay(target: String) async throws {
    try await Fixture.with { fixture in
      for _ in 0..<20 {
        let client = try fixture.connect()
        client.send("POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
        client.send(String(repeating: "x", count: 500_000))
        let reply = try client.reply()
        #expect(reply.status == (target == "/early" ? 403 : 413))
        #expect(try client.readToEnd() == "")
      }
      await fixture.until { script, server in script.handled == 0 && server.connections == 0 }
    }
  }

  @Test("a client that never stops sending a refused body is cut off")
  func endless() async throws {
    try await Fixture.with(.takingFourBytes) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\nabc")
      #expect(try client.reply().status == 413)
      await fixture.advance(by: .seconds(2))
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("a body too long by its declared length is refused without 100 Continue")
  func declared() async throws {
    try await Fixture.with(.takingFourBytes) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
      #expect(try client.reply().status == 413)
      #expect(try client.readToEnd() == "")
    }
  }

  @Test("a chunked body is refused when it passes the limit")
  func chunked() async throws {
    try await Fixture.with(.takingFourBytes) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
      client.send("1\r\ne\r\n")
      let reply = try client.reply()
      #expect(reply.status == 413)
      #expect(reply.body == "body-too-large")
      client.send(String(repeating: "1\r\nx\r\n", count: 10_000) + "0\r\n\r\n")
      #expect(try client.readToEnd() == "")
    }
  }

  @Test(
    "a chunk that is longer than the rest of a body may be is refused with its first byte",
    arguments: [
      "5\r\na", "00000000000000000005\r\na", "2\r\nab\r\n3\r\nc", "FFFFFFFFFFFFFFFF\r\na", "8000000000000000\r\na",
    ])
  func longChunk(body: String) async throws {
    try await Fixture.with(.takingFourBytes) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
      #expect(try client.reply().status == 413)
      #expect(try client.readToEnd() == "")
      // What looks like a line of a chunk, and is none.
      let other = try fixture.connect()
      other.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: 9\r\n\r\n")
      await fixture.until { script, _ in script.begun == 2 }
      for part in ["4\r\n", "9\r\n", "a", "\r\n0\r\n\r\n"] {
        other.send(part)
        for _ in 0..<3 { await fixture.on { _, _ in } }
      }
      let reply = try other.reply()
      #expect(reply.body == "9\r\na")
    }
  }

  @Test(
    "a connection that libmicrohttpd ends at a refusal is closed in time, whether the client stays or leaves",
    arguments: [
      "5;" + String(repeating: "a", count: 60_000) + "\r\nabcde\r\n0\r\n\r\n",
      "5\r\nabcde\r\n0\r\nX: " + String(repeating: "a", count: 60_000) + "\r\n\r\n", "zz\r\nabcde\r\n0\r\n\r\n",
    ], [false, true])
  func endedByLibrary(body: String, leaves: Bool) async throws {
    var options = ServerOptions.acceptingChunked
    // So much that what the library frees goes back to the system at once: whoever reads it then ends the process.
    options.headersLimit = 40 << 10
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      // After an answer that was waited for, the library learns of the next bytes only when it reads.
      client.send(post("/later", "abc"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().status == 200)
      // A lenient one waits for the end of such a line, until the time of the body is over.
      if try ParserStrictness.linked() != .strict { try await fixture.advance(by: .seconds(4), times: 3) }
      #expect(try client.reply().status >= 400)
      if leaves { client.disconnect() } else { try await fixture.advance(by: .milliseconds(250), times: 12) }
      await fixture.until { _, server in server.connections == 0 }
      let other = try fixture.connect()
      other.send(get("/"))
      #expect(try other.reply().status == 200)
    }
  }

  @Test(
    "a connection that libmicrohttpd ends without a word is closed in time, whether the client stays or leaves",
    arguments: [String(repeating: "Z", count: 60_000), String(repeating: "\u{16}\u{3}\u{1}", count: 20_000)],
    [false, true])
  func endedSilently(noRequest: String, leaves: Bool) async throws {
    var options = ServerOptions()
    options.headersLimit = 40 << 10
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      client.send(post("/later", "abc"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      client.send(noRequest)
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().status == 200)
      if leaves { client.disconnect() } else { try await fixture.advance(by: .milliseconds(250), times: 12) }
      await fixture.until { _, server in server.connections == 0 }
      let other = try fixture.connect()
      other.send(get("/"))
      #expect(try other.reply().status == 200)
    }
  }

  @Test("a chunked body is refused before it arrives where its framing is not checked, or where it is not wanted")
  func lengthRequired() async throws {
    let strictness = try ParserStrictness.linked()
    for policy in ChunkedBodies.allCases {
      var options = ServerOptions()
      options.chunked = policy
      let isAccepted = policy == .accept || policy == .auto && strictness == .strict
      try await Fixture.with(options) { fixture in
        let client = try fixture.connect()
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send("2\r\nab\r\n0\r\n\r\n" + get("/hidden"))
        let reply = try client.reply()
        #expect(reply.status == (isAccepted ? 200 : 411))
        #expect(reply.body == (isAccepted ? "ab" : "length-required"))
        if !isAccepted { #expect(try client.readToEnd() == "") }
        #expect(await fixture.on { script, _ in script.handled } == 0 || isAccepted)
      }
    }
  }

  @Test("a line of a chunked body that is longer than the connection's memory uses no time while nothing arrives")
  func chunkLine() async throws {
    var options = ServerOptions.acceptingChunked
    options.readTimeout = .milliseconds(500)
    options.halfCloseGrace = .milliseconds(100)
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      client.send("5;" + String(repeating: "a", count: 100_000))
      #expect(400..<500 ~= (try client.reply().status))
      #expect(try client.readToEnd() == "")
      await fixture.until { _, server in server.connections == 0 }
      // It takes up to 2 s until then; a turn without anything to do takes some microseconds.
      #expect(await fixture.on { _, _ in fixture.reactor.loop.turns } < 5_000)
    }
  }
}
