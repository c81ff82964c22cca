import HTTPServer
import Support
import Testing

/// What every answer has, however it comes about.
@Suite("Every answer", .inTurn(minutes: 3))
struct StandingHeaderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let request: String
    let status: Int
    var testDescription: String { name }

    init(_ name: String, _ request: String, _ status: Int) {
      self.name = name
      self.request = request
      self.status = status
    }
  }

  @Test(
    "is not sniffed, is kept from foreign pages, and names its request",
    arguments: [
      Case("a plain one", get("/x"), 200),
      Case("to HEAD", "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", 200),
      Case("a stream", get("/stream"), 200),
      Case("one before the body", "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 403),
      Case("a refusal of the head", get("/x", "Host: b\r\n"), 400),
      Case("a refusal of the body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 413),
    ])
  func standing(_ each: Case) async throws {
    try await Fixture.with(.takingFourBytes) { fixture in
      let client = try fixture.connect()
      client.send(each.request)
      let head = try await offThread { try client.head() }
      #expect(head.status == each.status)
      #expect(head.headers["x-content-type-options"] == "nosniff")
      #expect(head.headers["cross-origin-resource-policy"] == "same-origin")
      #expect(head.headers["x-request-id"]?.isEmpty == false)
    }
  }

  @Test(
    "repeats the name that the client gave its request, if it is fit for it",
    arguments: [
      ("r-1", true), ("!~", true), (String(repeating: "x", count: 128), true),
      (String(repeating: "x", count: 129), false), ("", false), ("a b", false), ("ä", false),
    ])
  func given(name: String, isFit: Bool) async throws {
    try await Fixture.with { fixture in
      let client = try fixture.connect()
      client.send(get("/x", "X-Request-Id: \(name)\r\n") + get("/early", "X-Request-Id: \(name)\r\n"))
      for _ in 0..<2 {
        let reply = try await offThread { try client.reply() }
        #expect((reply.headers["x-request-id"] == name) == isFit)
      }
    }
  }

  @Test("has a name of its own, also when its connection had others before")
  func fresh() async throws {
    try await Fixture.with { fixture in
      var names: Set<String> = []
      for _ in 0..<3 {
        let client = try fixture.connect()
        client.send(get("/x", "X-Request-Id: given\r\n") + get("/x") + get("/x"))
        let replies = try await offThread { try (0..<3).map { _ in try client.reply() } }
        #expect(replies[0].headers["x-request-id"] == "given")
        for reply in replies.dropFirst() { names.insert(reply.headers["x-request-id"] ?? "") }
      }
      #expect(names.count == 6)
      #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z0-9]{9,15}/) != nil })
    }
  }
}
