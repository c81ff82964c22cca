import MessagePack
import Support
import Testing
import ZeroMQ

/// Streams that are one document.
@Suite("long poll", .inTurn(minutes: 3))
struct PollTests {
  @Test(
    "a poll waits for the first event, answers with what there is, and the next goes on behind it", arguments: [1, 2])
  func poll(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      async let first = gateway.http.get("/sub/s?topic=a&_poll=20")
      // The first is opened by the time the second, which waits for nothing, has been answered and more was published.
      let publishing = Task {
        while !Task.isCancelled, try await gateway.http.get("/live").status == 200 {
          try await publisher.publish("a", "first", [17])
        }
      }
      let reply = try await first
      publishing.cancel()
      _ = await publishing.result
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(reply.headers["cache-control"] == "no-store")
      let event = reply.json["events"][0]
      #expect(event.members.map(\.key) == ["id", "topic", "method", "args", "kwargs"])
      #expect(event["args"] == [17])
      #expect(reply.json["cursor"] == reply.json["events"].elements.last?["id"])
      var cursor = try #require(reply.json["cursor"].text)
      try await publisher.publish("a", "end")
      var methods: [String] = []
      while methods.last != "end" {
        let next = try await gateway.http.get("/sub/s?topic=a&_poll=20&_last_event_id=\(cursor)")
        methods += next.json["events"].elements.compactMap { $0["method"].text }
        cursor = next.json["cursor"].text ?? ""
      }
      #expect(methods.dropLast().allSatisfy { $0 == "first" })
    }
  }

  @Test("polls that follow each other get each event once, while events pour in")
  func ledger() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 100000 }")
      let start = try await gateway.http.get("/sub/s?topic=a&_poll=0")
      #expect(start.json["events"] == [])
      var cursor = try #require(start.json["cursor"].text)
      let publishing = Task {
        for number in 0..<3_000 {
          try await publisher.publish("a", "m", [.int(Int64(number))])
          try await publisher.publish("b", "m")
          if number.isMultiple(of: 20) { _ = try await gateway.http.get("/live") }
        }
      }
      var numbers: [Int] = []
      while numbers.count < 3_000 {
        let reply = try await gateway.http.get("/sub/s?topic=a&_poll=5", headers: ["Last-Event-ID": cursor])
        #expect(reply.headers["stream-resumed-from"] == cursor)
        let events = reply.json["events"].elements
        #expect(1...1_000 ~= events.count)
        numbers += events.compactMap { $0["args"][0].integer }
        cursor = try #require(reply.json["cursor"].text)
      }
      #expect(numbers == Array(0..<3_000))
      try await publishing.value
    }
  }

  @Test("a poll for which nothing comes ends when its time is up, and moves its cursor past what is not for it")
  func silence() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: 1)
      let start = try await gateway.http.get("/sub/s?topic=a&_poll=0")
      let cursor = try #require(start.json["cursor"].text)
      let other = try await gateway.http.events("/sub/s?topic=b")
      try await publisher.publish("b", "m")
      let id = try #require(try await other.event(named: "")?.id)
      var reply = HTTPReply()
      let time = try await duration {
        reply = try await gateway.http.get("/sub/s?topic=a&_poll=1&_last_event_id=\(cursor)")
      }
      #expect(time > .milliseconds(900))
      #expect(time < .seconds(15))
      #expect(reply.json == ["events": [], "cursor": .string(id)])
    }
  }

  @Test("a poll is bounded, and told of gaps")
  func bounded() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 3000 }", threads: 1)
      let start = try await gateway.http.get("/sub/s?topic=a&_poll=0")
      var cursor = try #require(start.json["cursor"].text)
      let stream = try await gateway.http.events("/sub/s?topic=end")
      for _ in 0..<2_500 { try await publisher.publish("a", "m") }
      try await publisher.publish("end", "m")
      #expect(try await stream.event(named: "") != nil)
      for count in [1_000, 1_000, 500] {
        let reply = try await gateway.http.get("/sub/s?topic=a&_poll=20&_last_event_id=\(cursor)")
        #expect(reply.json["events"].elements.count == count)
        cursor = reply.json["cursor"].text ?? ""
      }
      let text = String(repeating: "x", count: 700_000)
      for _ in 0..<3 { try await publisher.publish("a", "m", [.string(text)]) }
      try await publisher.publish("end", "m")
      #expect(try await stream.event(named: "") != nil)
      let long = try await gateway.http.get("/sub/s?topic=a&_poll=20&_last_event_id=\(cursor)")
      #expect(long.json["events"].elements.count == 2)
      let lost = try await gateway.http.get("/sub/s?topic=a&_poll=20&_last_event_id=other-1&_data=args")
      #expect(lost.json["events"][0]["event"] == "gap")
      #expect(lost.json["events"][0]["reason"] == "restart")
    }
  }

  @Test("a poll ends with what it has when the gateway stops, and is JSON")
  func stop() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      let connection = try gateway.http.begin("GET", "/sub/s?_poll=30")
      defer { connection.disconnect() }
      var reply = try await offThread { try connection.head() }
      #expect(reply.status == 200)
      let time = await duration { await gateway.stop() }
      #expect(time < .seconds(9))
      reply.bytes = try await offThread {
        var bytes: [UInt8] = []
        while let chunk = try connection.chunk() { bytes += chunk }
        return bytes
      }
      #expect(reply.json["cursor"].text != nil)
    }
  }

  @Test(
    "what cannot be a poll is refused",
    arguments: [
      ("_poll=x", 400, [:]), ("_poll=61", 400, [:]), ("_poll=-1", 400, [:]), ("_poll=", 400, [:]),
      ("_poll=1&_event=topic", 400, [:]), ("_poll=1", 406, ["Accept": "text/event-stream"]),
      ("_poll=0", 200, ["Accept": "application/json"]), ("_poll=0", 200, ["Accept": "*/*"]), ("_poll=0.5", 200, [:]),
      ("", 406, ["Accept": "application/json"]),
    ] as [(String, Int, [String: String])])
  func refused(query: String, status: Int, headers: [String: String]) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: 1)
      for method in status == 200 ? ["GET", "HEAD"] : ["GET"] {
        let reply = try await gateway.http.send(method, "/sub/s?topic=a&\(query)", headers: headers)
        #expect(reply.status == status, "\(method) \(query)")
        if status == 200 { #expect(reply.headers["content-type"] == "application/json") }
      }
    }
  }
}
