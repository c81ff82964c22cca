import HTTPServer
import Reactor
import Support
import Testing

@Suite("Refusals", .inTurn(minutes: 3))
struct RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let request: String
    let status: Int
    /// A strict library trims blanks behind values, and refuses an empty line.
    var isOtherwiseWhenStrict = false
    init(_ name: String, _ request: String, _ status: Int = 400, isOtherwiseWhenStrict: Bool = false) {
      self.isOtherwiseWhenStrict = isOtherwiseWhenStrict
      testDescription = name
      self.request = request
      self.status = status
    }
  }

  static let length = "Content-Length: 1\r\n"
  static let forms: [Case] = [
    .init("Content-Length and Transfer-Encoding", get("/", "\(length)Transfer-Encoding: chunked\r\n")),
    .init("two Content-Length lines", get("/", "\(length)Content-Length: 2\r\n")),
    .init("two equal Content-Length lines", get("/", "\(length)\(length)")),
    .init("xchunked", get("/", "Transfer-Encoding: xchunked\r\n"), 501),
    .init("gzip, chunked", get("/", "Transfer-Encoding: gzip, chunked\r\n"), 501),
    .init(
      "chunked and a blank", get("/", "Transfer-Encoding: chunked \r\n"), 501, isOtherwiseWhenStrict: true),
    .init("two Transfer-Encoding lines", get("/", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 501),
    .init("Transfer-Encoding in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    .init("a blank before the colon", get("/", "Transfer-Encoding : chunked\r\n")),
    .init("a header without a name", get("/", ": x\r\n")),
    .init("a control byte in a name", get("/", "X\u{1}Y: x\r\n")),
    .init("a folded line", get("/", "X: a\r\n b\r\nY: c\r\n")),
    .init("a folded line at the end", get("/", "X: a\r\n b\r\n")),
    .init("a NUL in a value", get("/", "X: a\0b\r\n")),
    .init("a NUL in Content-Length", get("/", "Content-Length: 5\0 33\r\n")),
    .init("a bare CR in a value", get("/", "X: a\rb\r\n")),
    .init("a control byte in a value", get("/", "X: a\u{1}bcdefghijkl\r\n")),
    .init("DEL in a value", get("/", "X: abcdefghijkl\u{7F}\r\n")),
    .init("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    .init("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    .init("bare LF at the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
    .init("two blanks before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    .init("two blanks after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    .init("a blank in the target", get("/a b")),
    .init("a NUL in the target", get("/a\0b")),
    .init("a NUL in the query", get("/a?x\0b")),
    .init("a control byte in the target", get("/a\u{1}b")),
    .init("a fragment in the target", get("/a#b")),
    .init("an absolute target of another scheme", get("ftp://a/b")),
    .init("an absolute target without a host", get("http:///b")),
    .init("an absolute target with a user", get("http://u@a/b")),
    .init("a target without a slash", get("a")),
    .init("an asterisk on GET", get("*")),
    .init("a method that is no token", "G\u{1}T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    .init("no Host", "GET / HTTP/1.1\r\n\r\n"),
    .init("two Host lines", get("/", "Host: a\r\n")),
    .init("two Content-Type lines", get("/", "Content-Type: a/b\r\nContent-Type: a/b\r\n")),
    .init("two Request-Timeout lines", get("/", "Request-Timeout: 1\r\nRequest-Timeout: 2\r\n")),
    .init("HTTP/2.1", "GET / HTTP/2.1\r\nHost: a\r\n\r\n", 505),
    .init("a compressed body", get("/", "Content-Encoding: gzip\r\n"), 415),
    .init("a long target", get("/" + String(repeating: "a", count: 8_192)), 414),
    .init("a long header", get("/", "X: " + String(repeating: "a", count: 16_400) + "\r\n"), 431),
    .init("many headers", get("/", (0..<100).map { "X\($0): y\r\n" }.joined()), 431),
    .init("a long body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
  ]

  @Test(
    "a Host that is no host with an optional port is refused",
    arguments: [
      "a b", "u@h", "h, h2", "http://h", "h/", "h?", "h#", "[::1", "::1]", "[]", "[:]x", "[::1]x", "[g::1]", "[1]",
      "h:x",
      "h:-1", "h:1:2", "a%", "a%4", "a%zz", "\"a\"", "a\\b", "a|b", "{a}", "a^b", "grün",
    ])
  func host(text: String) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET / HTTP/1.1\r\nHost: \(text)\r\n\r\n")
      #expect(try client.reply().status == 400)
      #expect(try client.readToEnd() == "")
    }
  }

  @Test(
    "a Host may be a name, an address, and have a port",
    arguments: [
      "", "a", "a.b", "a.b.", "A-1_2~", "1.2.3.4", "1.2.3.4:80", "[::1]", "[::ffff:1.2.3.4]:8080", "a:", "a:65535",
      "a%41",
      "a!$&'()*+,;=b",
    ])
  func goodHost(text: String) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET / HTTP/1.1\r\nHost: \(text)\r\n\r\n")
      #expect(try client.reply().status == 200)
    }
  }

  @Test(
    "an absolute target is served as its path, for its host",
    arguments: [
      ("http://a:1/b?c", "/b?c a:1"), ("HTTP://[::1]/", "/ [::1]"), ("https://a", "/ a"),
      ("http://a/http://b/", "/http://b/ a"),
    ])
  func absolute(target: String, seen: String) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("GET \(target) HTTP/1.1\r\nHost: other\r\nX-Request-Id: host\r\n\r\n")
      #expect(try client.reply().body == seen)
      client.send(get("/next"))
      #expect(try client.reply().body == "/next 0")
    }
  }

  @Test("several lines of a list are one list, and the first value of another header counts")
  func lists() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/accept", "Accept: a/b\r\nX: y\r\nAccept:\r\naccept: c/d, e/f\r\n"))
      #expect(try client.reply().body == "a/b||c/d, e/f")
      client.send(get("/accept"))
      #expect(try client.reply().body == "")
    }
  }

  @Test("a request that breaks the rules is refused and the connection closed", arguments: forms)
  func refused(form: Case) async throws {
    let isStrict = try ParserStrictness.linked() == .strict
    if isStrict, form.isOtherwiseWhenStrict { return }
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(form.request)
      if isStrict {
        let text = try client.readToEnd()
        let refusals = await fixture.on { script, _ in script.refusals }
        if let refusal = refusals.first {
          #expect(text.hasPrefix("HTTP/1.1 \(form.status) ") && text.hasSuffix("\r\n\r\n\(refusal.rawValue)"))
        } else {
          // The library's own refusal: a page or nothing.
          #expect(text.isEmpty || text.hasPrefix("HTTP/1.1 4"))
        }
        #expect(text.ranges(of: "Connection: close\r\n").count <= 1)
        #expect(await fixture.on { script, _ in script.handled } == 0)
        return
      }
      let reply = try client.reply()
      #expect(reply.status == form.status)
      #expect(reply.headers["connection"]?.lowercased() == "close")
      #expect(try client.readToEnd() == "")
      let (handled, refusals) = await fixture.on { script, _ in (script.handled, script.refusals) }
      #expect(handled == 0)
      #expect(refusals.map(\.rawValue) == [reply.body])
    }
  }

  static let fine: [Case] = [
    .init("the longest target", get("/" + String(repeating: "a", count: 8_191)), 200),
    .init("a query of many parts", get("/?" + String(repeating: "a&", count: 4_000)), 200),
    .init("the longest header", get("/", "X: " + String(repeating: "a", count: 16_300) + "\r\n"), 200),
    .init("99 headers and Host", get("/", (0..<99).map { "X\($0): y\r\n" }.joined()), 200),
    .init("blanks and tabulators around a value", get("/", "X: \t a\tb \t\r\nContent-Type:x\r\n"), 200),
    .init("an unknown method", "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    .init("an asterisk on OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    .init("identity", get("/", "Content-Encoding: identity\r\n"), 200),
    .init("bytes above 127 in a value", get("/", "X: grün\r\n"), 200),
    .init("an empty line before the request", "\r\n" + get("/"), 200, isOtherwiseWhenStrict: true),
  ]

  @Test("a request at the limits is served", arguments: fine)
  func served(form: Case) async throws {
    if try form.isOtherwiseWhenStrict && ParserStrictness.linked() == .strict { return }
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(form.request)
      #expect(try client.reply().status == form.status)
      client.send(get("/next"))
      #expect(try client.reply().status == 200)
    }
  }

  @Test("a body that stops gets 408, and the connection is closed")
  func slowBody() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
      await fixture.until { script, _ in script.begun == 1 }
      await fixture.advance(by: .seconds(11))
      #expect(try client.reply().status == 408)
      #expect(try client.readToEnd() == "")
      client.disconnect()
      await fixture.until { _, server in server.connections == 0 }
    }
  }

  @Test("a body that trickles gets 408 although each byte comes in time")
  func trickle() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n")
      await fixture.until { script, _ in script.begun == 1 }
      for _ in 0..<4 {
        client.send("a")
        await fixture.advance(by: .seconds(3))
      }
      #expect(try client.reply().status == 408)
    }
  }

  @Test("a head that does not come is closed", arguments: ["", "GET / HTTP/1.1\r\nHost: a\r\n"])
  func slowHead(part: String) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(part)
      await fixture.until { _, server in server.connections == 1 && server.isIdle == part.isEmpty }
      await fixture.advance(by: .seconds(11))
      #expect(try client.readToEnd() == "")
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
    }
  }

  @Test("a connection between requests is closed after its idle time, not before")
  func idle() async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/"))
      #expect(try client.reply().status == 200)
      for _ in 0..<7 { await fixture.advance(by: .seconds(10)) }
      client.send(get("/"))
      #expect(try client.reply().status == 200)
      await fixture.advance(by: .seconds(76))
      #expect(try client.readToEnd() == "")
    }
  }
}
