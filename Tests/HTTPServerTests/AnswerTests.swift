import HTTPServer
import Logging
import Reactor
import Support
import Testing

@Suite("Answers", .inTurn(minutes: 3))
struct AnswerTests {
  @Test("a request is answered with status, headers and body")
  func answer() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(post("/echo", "[1,2]"))
      let reply = try client.reply()
      #expect(reply.status == 200)
      #expect(reply.body == "[1,2]")
      #expect(reply.headers["content-type"] == "text/plain")
      #expect(reply.headers["connection"] == nil)
    }
  }

  @Test("the target arrives as it was written, with its query")
  func target() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      for target in ["/a%2Fb/%00/..?x=%20+&y&&z=1?", "/?", "/a?", "/"] {
        client.send(get(target))
        #expect(try client.reply().body == "\(target) 0")
      }
    }
  }

  @Test("a request that waits is answered later, on a connection that stays open")
  func later() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      for round in 0..<3 {
        client.send(post("/later", "\(round)"))
        await fixture.until { script, _ in script.waiting.count == 1 }
        await fixture.on { script, _ in script.answerWaiting("round \(round)") }
        #expect(try client.reply().body == "round \(round)")
      }
      #expect(await fixture.on { _, server in server.connections } == 1)
    }
  }

  @Test("pipelined requests are answered in order, one in the middle waiting")
  func pipelined() async throws {
    try await Fixture.with(.acceptingChunked) { fixture in
      let client = try fixture.connect()
      let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
      client.send(post("/echo", "1") + post("/later", "2") + chunked + get("/x"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try (0..<4).map { _ in try client.reply().body } == ["1", "later", "abc", "/x 0"])
    }
  }

  @Test("requests that come together, and are answered at once, wait for no time to pass")
  func together() throws {
    // The clock stands still.
    let time = Instant.monotonic()
    let loop = try Loop { time }
    let script = Script()
    let server = try Server(
      Listener.open(.loopback(port: 0)), handler: script, on: loop, logger: Logger(label: "test"))
    defer { server.stop() }
    let client = try HTTPConnection(port: server.address.port)
    client.send(String(repeating: get("/"), count: 50))
    for _ in 0..<1_000 where script.handled < 50 || !server.isIdle { loop.turnOnce(sleepingAtMost: 1) }
    try #require(script.handled == 50 && server.isIdle)
    for _ in 0..<50 { #expect(try client.reply().status == 200) }
  }

  @Test("a request that comes byte by byte is understood")
  func bytewise() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      for byte in post("/echo", "xyz", "X-Long: \(String(repeating: "v", count: 40))\r\n").utf8 { client.send([byte]) }
      #expect(try client.reply().body == "xyz")
    }
  }

  @Test("Expect: 100-continue gets its interim answer")
  func expectContinue() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
      #expect(try client.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      client.send("abc")
      #expect(try client.reply().body == "abc")
    }
  }

  @Test("bodies of any size arrive whole", arguments: [0, 1, 255, 256, 16_384, 65_536, 65_537, 1 << 20])
  func sizes(count: Int) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      let body = String(repeating: "0123456789abcdef", count: count / 16 + 1).prefix(count)
      client.send(post("/echo", String(body)))
      #expect(try client.reply().body == body)
      client.send(post("/echo", "small"))
      #expect(try client.reply().body == "small")
    }
  }

  @Test("HEAD gets the head of GET and no body, of a stream too")
  func head() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(try client.reply(isHead: true).headers["content-length"] == "4")
      let stream = try client.reply(isHead: true)
      #expect(stream.headers["cache-control"] == "no-store")
      #expect(stream.headers["content-length"] == nil)
      #expect(try client.readToEnd() == "")
      #expect(await fixture.on { script, _ in script.streams.map(\.closures) } == [1])
    }
  }

  @Test("later minor versions are read as HTTP/1.1", arguments: [2, 9])
  func laterVersion(minor: Int) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.\(minor)\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get("/y"))
      #expect(try client.reply().body == "abc")
      #expect(try client.reply().body == "/y 0")
    }
  }

  @Test("HTTP/1.0 is answered and closed, or kept open on demand")
  func oldVersion() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      #expect(try client.reply().headers["connection"] == "Keep-Alive")
      client.send("GET /x HTTP/1.0\r\n\r\n")
      #expect(try client.readToEnd().hasSuffix("\r\n\r\n/x 0"))
    }
  }

  @Test("a body on GET is read and the connection goes on")
  func bodyOnGet() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get("/y"))
      #expect(try client.reply().body == "/x 5")
      #expect(try client.reply().body == "/y 0")
    }
  }

  @Test("trailers are never taken for headers")
  func trailers() async throws {
    try await Fixture.with(.acceptingChunked) { fixture in
      let client = try fixture.connect()
      let request = "POST /later HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      client.send(request + "1\r\na\r\n0\r\nAccept: x\r\n\r\n")
      await fixture.until { script, _ in script.waiting.count == 1 }
      #expect(await fixture.on { script, _ in script.waiting[0].header(.accept) == nil })
      await fixture.on { script, _ in script.answerWaiting() }
      #expect(try client.reply().status == 200)
    }
  }

  @Test("a thousand requests on fifty connections are all answered")
  func many() async throws {
    try await Fixture.with { fixture in
      let clients = try (0..<50).map { _ in try fixture.connect() }
      for round in 0..<20 {
        for (index, client) in clients.enumerated() {
          client.send(post(index % 2 == 0 ? "/later" : "/echo", "\(round)-\(index)"))
        }
        await fixture.until { script, _ in script.waiting.count == 25 }
        await fixture.on { script, _ in script.answerWaiting("later") }
        for (index, client) in clients.enumerated() {
          #expect(try client.reply().body == (index % 2 == 0 ? "later" : "\(round)-\(index)"))
        }
      }
      #expect(await fixture.on { script, _ in script.handled } == 1_000)
      await fixture.until { _, server in server.isIdle }
    }
  }

  @Test("known headers are found in any case, trimmed and counted")
  func headers() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/later", "CONTENT-type:   text/x \t\r\naccept: a\r\nAccept: b\r\nX-Empty:\r\n"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      await fixture.on { script, _ in
        let exchange = script.waiting[0]
        #expect(exchange.header(.contentType)?.elementsEqual("text/x".utf8) == true)
        #expect(exchange.header(.accept)?.elementsEqual("a".utf8) == true)
        #expect(exchange.count(of: .accept) == 2)
        #expect(exchange.header(.origin) == nil)
        #expect(exchange.clientAddress.text == "127.0.0.1")
        script.answerWaiting()
      }
      #expect(try client.reply().status == 200)
    }
  }
}
