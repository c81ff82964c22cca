import MessagePack
import Support
import Testing
import ZeroMQ

/// How streams look when they are asked to look otherwise.
@Suite("the shapes of a stream", .inTurn(minutes: 3))
struct StreamShapeTests {
  @Test("events have the names, and the data, that the stream asks for")
  func names() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let queries = ["_event=method", "_event=topic", "_data=args", "_event=topic&_data=args"]
      var streams: [EventReader] = []
      for query in queries { streams.append(try await gateway.http.events("/sub/s?topic=a&\(query)")) }
      #expect(try await publisher.subscription() == "+a")
      try await gateway.areAttached(streams, publisher, named: ["attached", "a", "", "a"])
      try await publisher.publish("a.b", "error", [17])
      let whole: JSON = ["topic": "a.b", "method": "error", "args": [17], "kwargs": [:]]
      let expected: [(String?, JSON)] = [(#"\u0065rror"#, whole), ("a.b", whole), (nil, [17]), ("a.b", [17])]
      for (stream, (name, data)) in zip(streams, expected) {
        var event: EventReader.Block?
        repeat {
          event = try await stream.event()
        } while event?.data?.contains("attached") == true
          || event?.data == "[]"
        #expect(event?.name == name)
        #expect(event?.json == data)
        #expect(event?.sequence != nil)
      }
    }
  }

  @Test("lines of JSON tell what server-sent events tell, those of the gateway with a name", arguments: [1, 2])
  func lines(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1s\nretry: 2s", threads: threads)
      let stream = try await gateway.http.lines("/sub/s?topic=a&_last_event_id=x-1")
      #expect(stream.head.status == 200)
      #expect(stream.head.headers["content-type"] == "application/x-ndjson")
      #expect(stream.head.headers["cache-control"] == "no-store")
      #expect(stream.head.headers["x-accel-buffering"] == "no")
      #expect(try await stream.next() == ["event": "open", "retry": 2_000])
      #expect(try await stream.next()?["event"] == "gap")
      _ = try await publisher.subscription()
      while try await stream.next() != ["event": "heartbeat"] {}
      try await publisher.publish("a", "m", [17])
      let event = try await stream.next()
      #expect(event?["id"].text?.contains("-") == true)
      #expect(event?.members.dropFirst().map(\.key) == ["topic", "method", "args", "kwargs"])
      #expect(event?["args"] == [17])
      try await publisher.send(["a".bytes])
      let gap = try await stream.next()
      #expect(gap?["event"] == "gap")
      #expect(gap?["reason"] == "undecodable")
      #expect(gap?["id"].text != nil)
      await publisher.close()
      #expect(try await stream.next() == ["event": "upstream", "state": "down", "connected": 0, "of": 1])
      await gateway.stop()
      let bye = try await stream.next()
      #expect(bye?["event"] == "bye")
      #expect(bye?["reason"] == "draining")
      #expect(try await stream.next() == nil)
    }
  }

  @Test(
    "events larger than any buffer arrive whole, from the window and from the history", arguments: ["", "_data=args"])
  func large(query: String) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let lines = try await gateway.http.lines("/sub/s?topic=t&\(query)", receiveBuffer: 4_096)
      let events = try await gateway.http.events("/sub/s?topic=t&_event=method&\(query)", receiveBuffer: 4_096)
      _ = try await publisher.subscription()
      let text = String(repeating: "0123456789", count: 100_000)
      for number in 0..<8 { try await publisher.publish("t", "m\(number)", [.int(Int64(number)), .string(text)]) }
      for number in 0..<8 {
        let event = try await events.event(named: "m\(number)")
        let arguments = query.isEmpty ? event?.json["args"] : event?.json
        #expect(arguments == [.number("\(number)"), .string(text)])
        var line: JSON?
        repeat { line = try await lines.next() } while line?["event"].text != nil
        #expect(line?["args"] == [.number("\(number)"), .string(text)])
      }
    }
  }

  @Test(
    "the shape is what Accept wants most, on however many lines",
    arguments: [
      ([], "text/event-stream; charset=utf-8"), (["*/*"], "text/event-stream; charset=utf-8"),
      (["application/*"], nil), (["application/json"], nil), (["application/x-ndjson"], "application/x-ndjson"),
      (["text/html", "application/x-ndjson"], "application/x-ndjson"),
      (["text/event-stream", "application/x-ndjson;q=0.5"], "text/event-stream; charset=utf-8"),
      (["application/x-ndjson;q=0"], nil), (["text/event-stream;q=0", "*/*"], nil),
      (["text/event-stream;q=0.1, application/x-ndjson"], "application/x-ndjson"),
      (["text/*"], "text/event-stream; charset=utf-8"),
    ] as [([String], String?)])
  func accept(accept: [String], type: String?) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: 1)
      for method in ["GET", "HEAD"] {
        let connection = try HTTPConnection(port: gateway.http.port)
        defer { connection.disconnect() }
        let lines = accept.map { "Accept: \($0)\r\n" }.joined()
        connection.send("\(method) /sub/s HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n")
        let head = try await offThread { try connection.head() }
        #expect(head.status == (type == nil ? 406 : 200))
        if let type { #expect(head.headers["content-type"] == type) }
      }
    }
  }

  @Test(
    "what a stream cannot look like is refused",
    arguments: [
      ("_event=topics", "bad-query"), ("_event=", "bad-query"), ("_data=kwargs", "bad-query"),
      ("_event:=1", "bad-query"),
      ("_event=topic&_event=topic", "bad-query"), ("_shape=x", "unknown-parameter"),
    ])
  func refused(query: String, code: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: 1)
      let reply = try await gateway.http.get("/sub/s?\(query)")
      #expect(reply.status == 400)
      #expect(reply.headers["gateway-error"] == code)
      let named = try await gateway.http.get("/sub/s?_event=topic", headers: ["Accept": "application/x-ndjson"])
      #expect(named.status == 400)
      #expect(named.headers["gateway-error"] == "bad-query")
    }
  }
}

extension HTTPClient {
  /// Opens a stream of lines of JSON.
  func lines(_ target: String, receiveBuffer: CInt? = nil) async throws -> LineReader {
    try await offThread {
      let connection = try HTTPConnection(port: port, receiveBuffer: receiveBuffer)
      connection.send("GET", target, headers: ["Accept": "application/x-ndjson"])
      return LineReader(try connection.head(), connection)
    }
  }
}

/// Reads a stream of lines of JSON as it comes.
final class LineReader: @unchecked Sendable {
  // Safe: a test reads a stream from one task at a time.
  let head: HTTPReply
  private let connection: HTTPConnection
  private var text: [UInt8] = []
  private var scanned = 0

  init(_ head: HTTPReply, _ connection: HTTPConnection) {
    self.head = head
    self.connection = connection
  }

  /// The next line; nil when the stream has ended. Each line is one object.
  func next() async throws -> JSON? {
    try await offThread { [self] in
      while true {
        if let end = text[scanned...].firstIndex(of: 0x0A) {
          let line = String(decoding: text[..<end], as: UTF8.self)
          text.removeFirst(end + 1)
          scanned = 0
          let json = try #require(JSON(line), "\(line) is no JSON")
          #expect(!json.members.isEmpty, "\(line) is no object")
          return json
        }
        scanned = text.count
        guard let chunk = try connection.chunk() else { return nil }
        text += chunk
      }
    }
  }

  func close() { connection.disconnect() }
}

/// Streams that ask for topics by wildcards.
@Suite("streams of topics with wildcards", .inTurn(minutes: 3))
struct WildcardTests {
  @Test("events are picked out behind the prefix that is subscribed to, whether they wait or come", arguments: [1, 2])
  func pickedOut(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 0 }", threads: threads)
      let star = try await gateway.http.events("/sub/s?topic=orders.*.eu&topic=z")
      let rest = try await gateway.http.events("/sub/s?topic=orders.%3E")
      let literal = try await gateway.http.events("/sub/s?topic=orders*")
      var subscribed: Set<String> = []
      for _ in 0..<3 { subscribed.insert(try await publisher.subscription()) }
      #expect(subscribed == ["+orders.", "+z", "+orders*"])
      for topic in ["orders.1.us", "orders.2.eu", "orders*", "orders.eu", "orders.3.eu", "z", "orders*.end"] {
        try await publisher.publish(topic, "m")
      }
      #expect(try await star.topics(through: "z") == ["orders.2.eu", "orders.3.eu", "z"])
      #expect(
        try await rest.topics(through: "orders.3.eu") == ["orders.1.us", "orders.2.eu", "orders.eu", "orders.3.eu"])
      #expect(try await literal.topics(through: "orders*.end") == ["orders*", "orders*.end"])
    }
  }

  @Test("what was published before is picked out as well")
  func earliest() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      for topic in ["a.1.b", "a.2.c", "a.3.b"] { try await publisher.publish(topic, "m") }
      try await eventually("all to be there") {
        let stream = try await gateway.http.events("/sub/s?topic=a.*.b&_from=earliest")
        defer { stream.close() }
        return try await stream.event(named: "")?.json["topic"] == "a.1.b"
      }
      let stream = try await gateway.http.events("/sub/s?topic=a.*.b&_from=earliest")
      #expect(try await stream.topics(through: "a.3.b") == ["a.1.b", "a.3.b"])
    }
  }

  @Test("what stands before the wildcard must be offered, and of wildcards there may be sixteen")
  func refused() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("topics: [\"orders.eu.\"]", threads: 1)
      for (query, status) in [
        ("topic=orders.*.x", 404), ("topic=*", 404), ("topic=%3E", 404), ("topic=orders.eu.*", 200),
        ((0..<16).map { "topic=orders.eu.*.\($0)" }.joined(separator: "&"), 200),
        ((0..<17).map { "topic=orders.eu.*.\($0)" }.joined(separator: "&"), 400),
      ] {
        let reply = try await gateway.http.send("HEAD", "/sub/s?\(query)")
        #expect(reply.status == status, "\(query)")
        if status != 200 {
          #expect(reply.headers["gateway-error"] == (status == 404 ? "no-such-topic" : "too-many-topics"))
        }
      }
    }
  }
}
