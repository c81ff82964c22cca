import Foundation
import HTTPServer
import Support
import Testing

@Suite("Slow clients", .inTurn(minutes: 3))
struct SlowClientTests {
  // MARK: Heads

  static let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n01\r\nx\r\n0\r\n\r\n"

  @Test(
    "a second head that stops is closed after the read timeout, not after the idle time",
    arguments: [get("/"), post("/echo", "abc"), chunked, chunked + get("/later")], [false, true])
  func secondHead(first: String, isPipelined: Bool) async throws {
    try await Fixture.with(.acceptingChunked) { fixture in
      for part in ["G", "GET /second HTT"] {
        let client = try fixture.connect()
        client.send(first + (isPipelined ? part : ""))
        #expect(try client.reply().status == 200)
        if first.contains("later") {
          await fixture.until { script, _ in script.waiting.count == 1 }
          await fixture.on { script, _ in script.answerWaiting() }
          #expect(try client.reply().status == 200)
        }
        if !isPipelined { client.send(part) }
        try await fixture.advance(by: .seconds(4), times: 5)
        #expect(await fixture.on { _, server in server.connections } == 0)
        #expect(try client.readToEnd() == "")
      }
    }
  }

  @Test("an empty line before a request, where it is served, does not make the connection any less idle after it")
  func emptyLine() async throws {
    guard try ParserStrictness.linked() == .lenient else { return }
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("\r\n" + get("/"))
      #expect(try client.reply().status == 200)
      try await fixture.advance(by: .seconds(5), times: 14)
      client.send(get("/") + "\r\n")
      #expect(try client.reply().status == 200)
      try await fixture.advance(by: .seconds(5), times: 14)
      #expect(await fixture.on { _, server in server.connections } == 1)
      client.send(get("/") + "\r\nGE")
      #expect(try client.reply().status == 200)
      try await fixture.advance(by: .seconds(4), times: 5)
      #expect(await fixture.on { _, server in server.connections } == 0)
    }
  }

  @Test(
    "a second head that comes byte by byte is closed after the read timeout", arguments: ["", "GET / HTTP/1.1\r\nX: "])
  func trickle(start: String) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/"))
      #expect(try client.reply().status == 200)
      try await fixture.advance(by: .seconds(3), times: 3)
      #expect(await fixture.on { _, server in server.connections } == 1)
      client.send(start)
      for _ in 0..<9 {
        client.send("G")
        try await fixture.advance(by: .seconds(2), times: 1)
      }
      #expect(await fixture.on { _, server in server.connections } == 0)
    }
  }

  @Test("a first head that comes byte by byte has the read timeout for all of it")
  func firstHead() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET / HTTP/1.")
      try await fixture.advance(by: .seconds(6), times: 1)
      client.send("1\r\nHost: ")
      try await fixture.advance(by: .seconds(6), times: 1)
      #expect(await fixture.on { _, server in server.connections } == 0)
    }
  }

  @Test("the idle time is what the options say, and ends when the next request begins")
  func idle() async throws {
    var options = ServerOptions()
    // So long that what a busy machine takes is little beside it.
    (options.idleTimeout, options.readTimeout) = (.seconds(50), .seconds(100))
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      for target in ["/", "/echo"] {
        for body in ["", "abc"] {
          client.send(post(target, body))
          #expect(try client.reply().status == 200)
          try await fixture.advance(by: .seconds(20), times: 2)
          #expect(await fixture.on { _, server in server.connections } == 1)
        }
      }
      client.send("GET / HTTP/1.1\r\n")
      try await fixture.advance(by: .seconds(20), times: 3)
      client.send("Host: a\r\n\r\n")
      #expect(try client.reply().status == 200)
      try await fixture.advance(by: .seconds(26), times: 2)
      #expect(await fixture.on { _, server in server.connections } == 0)
    }
  }

  @Test("a connection is idle after a body in chunks, and after a whole second request")
  func idleAfterBody() async throws {
    var options = ServerOptions()
    options.chunked = .accept
    try await Fixture.with(options) { fixture in
      let client = try fixture.connect()
      client.send(
        post("/echo", "abc") + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
      )
      #expect(try client.reply().body == "abc")
      #expect(try client.reply().body == "x")
      try await fixture.advance(by: .seconds(5), times: 14)
      #expect(await fixture.on { _, server in server.connections } == 1)
    }
  }

  // MARK: Bodies

  @Test("a body that stops short gets 408 after the read timeout, however much of it came")
  func stopsShort() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
      client.send(String(repeating: "x", count: 999_900))
      try await eventually("all of it to be read") { try fixture.hasReadAll() }
      try await fixture.advance(by: .seconds(4), times: 4)
      #expect(try client.reply().status == 408)
      try await fixture.advance(by: .seconds(2), times: 1)
      #expect(await fixture.on { script, server in script.handled + server.connections } == 0)
    }
  }

  @Test("a body that trickles after a fast start gets 408")
  func fastStart() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
      client.send(String(repeating: "x", count: 900_000))
      try await eventually("all of it to be read") { try fixture.hasReadAll() }
      for _ in 0..<8 {
        client.send("x")
        try await fixture.advance(by: .seconds(2), times: 1)
      }
      #expect(try client.reply().status == 408)
    }
  }

  @Test("a body of more than 1 KiB a second may take as long as it likes")
  func steady() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
      for _ in 0..<30 {
        client.send(String(repeating: "x", count: 2_000))
        try await fixture.advance(by: .milliseconds(1_900), times: 1)
      }
      #expect(try client.reply().bytes.count == 60_000)
    }
  }

  // MARK: Readers

  @Test("an answer that nobody reads ends after the write timeout", arguments: ["/long", "/later"])
  func unreadAnswer(target: String) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send(get(target))
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.answerWaiting(Script.longText) }
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections } == 1)
      try await fixture.advance(by: .seconds(4), times: 6)
      #expect(await fixture.on { _, server in server.connections == 0 && server.isIdle })
    }
  }

  @Test("an answer that is read slowly, but not too slowly, is complete")
  func slowAnswer() async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 64 << 10)
      client.send(get("/long"))
      #expect(try client.head().status == 200)
      for _ in 0..<20 {
        _ = try client.read(count: 1 << 20)
        try await fixture.advance(by: .seconds(20), times: 1)
      }
    }
  }

  @Test("an answer that is read at a few bytes a second ends")
  func drip() async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send(get("/long"))
      #expect(try client.head().status == 200)
      for _ in 0..<40 {
        _ = try? client.read(count: 500)
        try await fixture.advance(by: .seconds(2), times: 1)
      }
      #expect(await fixture.on { _, server in server.connections == 0 && server.isIdle })
    }
  }

  @Test("a stream that nobody reads ends after the write timeout, in HTTP/1.0 too", arguments: ["1.1", "1.0"])
  func unreadStream(version: String) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      client.send("GET /stream HTTP/\(version)\r\nHost: a\r\n\r\n")
      await fixture.until { script, _ in script.streams.count == 1 }
      await fixture.on { script, _ in script.streams[0].put(Script.longText) }
      try await fixture.advance(by: .seconds(4), times: 12)
      #expect(await fixture.on { script, server in script.streams[0].closures == 1 && server.connections == 0 })
    }
  }

  @Test("a stream that is read stays, however little it says")
  func quietStream() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/stream"))
      await fixture.until { script, _ in script.streams.count == 1 }
      #expect(try client.head().status == 200)
      for _ in 0..<20 {
        await fixture.on { script, _ in script.streams[0].put("a") }
        #expect(try client.chunkText() == "a")
        try await fixture.advance(by: .seconds(5), times: 2)
      }
      try await fixture.advance(by: .seconds(50), times: 4)
      #expect(await fixture.on { script, server in script.streams[0].closures == 0 && server.connections == 1 })
    }
  }

  enum Stalled: CaseIterable { case nothing, answer, stream, oldStream, body }

  @Test("streams that end are freed at once, whatever another client of the thread does", arguments: Stalled.allCases)
  func others(stalled: Stalled) async throws {
    try await Fixture.with { fixture in
      let client = try HTTPConnection(port: fixture.address.port, receiveBuffer: 4_096)
      switch stalled {
      case .nothing: break
      case .answer: client.send(get("/long"))
      case .stream: client.send(get("/stream"))
      case .oldStream: client.send("GET /stream HTTP/1.0\r\n\r\n")
      case .body: client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc")
      }
      await fixture.until { _, server in server.connections == 1 && server.isIdle == (stalled == .nothing) }
      await fixture.on { script, _ in script.streams.first?.put(Script.longText) }
      for version in ["1.1", "1.0"] {
        let known = await fixture.on { script, _ in script.streams.count }
        let others = try (0..<20).map { _ in try fixture.connect() }
        for other in others { other.send("GET /stream HTTP/\(version)\r\nHost: a\r\n\r\n") }
        await fixture.until { script, _ in script.streams.count == known + 20 }
        for other in others { other.disconnect() }
        // No clock is moved: the second that libmicrohttpd needs at most is a real one.
        await fixture.until { script, server in
          server.connections == 1 && script.streams[known...].allSatisfy { $0.closures == 1 }
        }
      }
    }
  }
}

extension Fixture {
  /// Whether nothing that clients have sent is still on its way, as the kernel tells of both ends of each connection.
  fileprivate nonisolated func hasReadAll() throws -> Bool {
    let port = ":" + String(format: "%04X", Int(address.port))
    let table = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/net/tcp")).readToEnd() ?? Data()
    let connections = String(decoding: table, as: UTF8.self).split(separator: "\n").dropFirst()
      .map { $0.split(separator: " ") }.filter { $0[3] == "01" && ($0[1].hasSuffix(port) || $0[2].hasSuffix(port)) }
    return connections.count == 2 && connections.allSatisfy { $0[4] == "00000000:00000000" }
  }
}
