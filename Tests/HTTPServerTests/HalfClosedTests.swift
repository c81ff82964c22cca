import HTTPServer
import Support
import Testing

@Suite("Half-closed clients", .inTurn(minutes: 3))
struct HalfClosedTests {
  // MARK: Half-closed clients

  static let parts = [
    "GET / HT", get("/").dropLast(2) + "", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    get("/") + "GET / HT",
  ]

  @Test("a client that sends part of a request and its end is gone within the grace", arguments: parts)
  func partAndEnd(part: String) async throws {
    var options = ServerOptions()
    options.chunked = .accept
    try await Fixture.with(options) { fixture in
      let clients = try (0..<50).map { _ in try fixture.connect() }
      await fixture.until { _, server in server.connections == 50 }
      for client in clients {
        client.send(part)
        client.finishSending()
      }
      try await fixture.advance(by: .milliseconds(400), times: 4)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      #expect(await fixture.on { _, server in server.connections } == 0)
    }
  }

  @Test("half-closed clients all get their answers, also when these come at once", arguments: [false, true])
  func halfClosed(isLong: Bool) async throws {
    // Made before anybody waits: it takes a while, and the grace is a real second.
    let text = isLong ? Script.longText : "later"
    try await Fixture.with { fixture in
      let clients = try (0..<(isLong ? 5 : 100)).map { _ in try fixture.connect() }
      for client in clients {
        client.send(post("/later", "1"))
        client.finishSending()
      }
      await fixture.until { script, _ in script.waiting.count == clients.count }
      // The ends of input are seen before the answers.
      for _ in 0..<3 { await fixture.on { _, _ in } }
      await fixture.on { script, _ in script.answerWaiting(text) }
      for client in clients {
        let reply = try client.reply()
        #expect(reply.status == 200 && reply.bytes.count == text.utf8.count)
        #expect(try client.readToEnd() == "")
      }
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  static let chunked = "POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n"

  static let pipelines = [
    [get("/later")], [post("/later", "1"), get("/later"), post("/later", "22")], [chunked, get("/later")],
  ]
  static let rests = [
    "", "GE", "GET / HTTP/1.1\r\nHost", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
  ]

  @Test(
    "every complete request of a half-closed client is answered, in order, and a rest that is none ends the connection",
    arguments: pipelines, rests)
  func pipeline(requests: [String], rest: String) async throws {
    try await Fixture.with(.acceptingChunked) { fixture in
      let clients = try (0..<100).map { _ in try fixture.connect() }
      for client in clients {
        client.send(requests.joined() + rest)
        client.finishSending()
      }
      for number in 1...requests.count {
        await fixture.until { script, _ in script.waiting.count == clients.count }
        for _ in 0..<3 { await fixture.on { _, _ in } }
        await fixture.on { script, _ in script.answerWaiting("answer \(number)") }
        for client in clients {
          let reply = try client.reply()
          #expect(reply.status == 200 && reply.body == "answer \(number)")
        }
      }
      for client in clients { #expect(try client.readToEnd() == "") }
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("an empty line behind the request does not cost its answer")
  func emptyLine() async throws {
    try await Fixture.with { fixture in
      let clients = try (0..<100).map { _ in try fixture.connect() }
      for client in clients {
        client.send(post("/later", "1") + "\r\n")
        client.finishSending()
      }
      await fixture.until { script, _ in script.waiting.count == clients.count }
      for _ in 0..<3 { await fixture.on { _, _ in } }
      await fixture.on { script, _ in script.answerWaiting() }
      for client in clients { #expect(try client.reply().status == 200) }
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("a client that half-closes in the very turn of its answer gets it", arguments: [1, 100])
  func sameTurn(count: Int) async throws {
    try await Fixture.with { fixture in
      let clients = try (0..<count).map { _ in try fixture.connect() }
      for client in clients { client.send(get("/later")) }
      await fixture.until { script, _ in script.waiting.count == clients.count }
      await fixture.on { script, _ in
        script.answerWaiting()
        // The server has looked for ends of input before, and libmicrohttpd runs afterwards.
        for client in clients { client.finishSending() }
      }
      for client in clients {
        #expect(try client.reply().status == 200)
        #expect(try client.readToEnd() == "")
      }
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("a long answer survives a half-close while it is written, and one before it", arguments: [false, true])
  func longAndHalfClosed(isBefore: Bool) async throws {
    try await Fixture.with { fixture in
      let clients = try (0..<5).map { _ in try fixture.connect() }
      for client in clients {
        client.send(get("/long"))
        if isBefore { client.finishSending() }
      }
      await fixture.until { script, _ in script.handled == clients.count }
      for client in clients { client.finishSending() }
      for _ in 0..<3 { await fixture.on { _, _ in } }
      for client in clients { #expect(try client.reply().bytes.count == Script.longText.utf8.count) }
    }
  }

  /// When the client half-closes: with its request, before the first piece, or between two.
  enum Moment: CaseIterable { case atOnce, beforeFirst, between }

  @Test("an answer in pieces comes whole to half-closed clients", arguments: Moment.allCases, [1, 50])
  func pieces(moment: Moment, count: Int) async throws {
    let text = String(repeating: "x", count: count == 1 ? 4 << 20 : 40_000)
    try await Fixture.with { fixture in
      let clients = try (0..<count).map { _ in try fixture.connect() }
      func finish(_ now: Moment) async {
        guard moment == now else { return }
        for client in clients { client.finishSending() }
        for _ in 0..<3 { await fixture.on { _, _ in } }
      }
      func put(_ piece: String) async {
        await fixture.on { script, _ in
          for stream in script.streams { stream.put(piece) }
        }
      }
      for client in clients { client.send(get("/pieces")) }
      await finish(.atOnce)
      await fixture.until { script, _ in script.streams.count == count }
      await finish(.beforeFirst)
      await put("first")
      for client in clients { _ = try client.read(through: "first") }
      await finish(.between)
      await put(text)
      await put("last")
      await fixture.on { script, _ in
        for stream in script.streams { stream.end() }
      }
      for client in clients { #expect(try client.readToEnd().hasSuffix("last\r\n0\r\n\r\n")) }
      await fixture.until { script, server in
        server.connections == 0 && server.isIdle && script.streams.allSatisfy { $0.closures == 1 }
      }
    }
  }

  @Test("a half-closed client waits for the next piece nearly as long as the grace", arguments: [false, true])
  func silentPieces(hasBegun: Bool) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/pieces"))
      await fixture.until { script, _ in script.streams.count == 1 }
      if hasBegun {
        await fixture.on { script, _ in script.streams[0].put("first") }
        _ = try client.read(through: "first")
      }
      client.finishSending()
      try await fixture.advance(by: .milliseconds(280), times: 3)
      #expect(await fixture.on { _, server in server.connections } == 1)
      await fixture.on { script, _ in script.streams[0].put("second") }
      _ = try client.read(through: "second")
      try await fixture.advance(by: .milliseconds(280), times: 3)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .milliseconds(280), times: 3)
      await fixture.until { script, server in server.connections == 0 && script.streams[0].closures == 1 }
    }
  }

  @Test("a half-closed client that does not read its answer is gone after the write timeout")
  func halfClosedUnread() async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send(get("/later"))
      client.finishSending()
      await fixture.until { script, _ in script.waiting.count == 1 }
      for _ in 0..<3 { await fixture.on { _, _ in } }
      await fixture.on { script, _ in script.answerWaiting(Script.longText) }
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections == 0 && server.isIdle })
    }
  }
}
