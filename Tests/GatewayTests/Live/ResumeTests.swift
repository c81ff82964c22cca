import MessagePack
import Support
import Testing
import ZeroMQ

/// Streams that come back.
@Suite("streams that resume", .inTurn(minutes: 3))
struct ResumeTests {
  private func publish(_ numbers: Range<Int>, at publisher: WireSocket, topic: String = "a") async throws {
    for number in numbers { try await publisher.publish(topic, "\(number)") }
  }

  /// Reads the methods of so many events, which must follow each other without a hole in their numbers.
  private func methods(_ count: Int, of stream: EventReader) async throws -> [String] {
    var methods: [String] = []
    var last: Int?
    while methods.count < count, let event = try await stream.event() {
      // It has a number that is not shown.
      if event.name == "upstream" {
        last = nil
        continue
      }
      #expect(event.name == nil)
      if let last { #expect(event.sequence == last + 1) }
      last = event.sequence
      methods.append(event.json["method"].text ?? "")
    }
    return methods
  }

  @Test("a stream goes on behind the event that its client names, and is told where that is", arguments: [1, 2])
  func exact(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let first = try await gateway.http.events("/sub/s?topic=a")
      try await publish(0..<10, at: publisher)
      var seen: EventReader.Block?
      for _ in 0..<4 { seen = try await first.event() }
      let id = try #require(seen?.id)
      first.close()
      try await publish(10..<300, at: publisher)
      let stream = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      #expect(stream.head.headers["stream-resumed-from"] == id)
      #expect(try await stream.block()?.id == id)
      #expect(try await methods(296, of: stream) == (4..<300).map(String.init))
      // It is at the present, and nothing comes twice.
      try await publisher.publish("a", "now")
      #expect(try await stream.event()?.json["method"] == "now")
    }
  }

  @Test(
    "a stream that resumes while a publisher is missing is told of it once: first, or by what it gets",
    arguments: [1, 2])
  func publisherMissing(threads: Int) async throws {
    try await Rig.with { rig in
      let endpoint = rig.directory.endpoint("s")
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, subscribe: { connect: ["\#(endpoint)"] } }"#, threads: threads)
      let first = try await gateway.http.events("/sub/s?topic=a")
      let publisher = try await WireSocket(.subscriptionAwarePublish, bind: endpoint)
      _ = try await publisher.subscription()
      try await publisher.publish("a", "before")
      let before = try await first.event(named: "")
      let (id, epoch, sequence) = (
        try #require(before?.id), try #require(before?.epoch), try #require(before?.sequence)
      )
      await publisher.close()
      #expect(try await first.event()?.json["state"] == "down")
      // Behind the event lies the change; behind the change it is the present.
      let present = "\(epoch)-\(sequence + 1)"
      let fromEvent = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      let fromChange = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": present])
      let fromStart = try await gateway.http.events("/sub/s?topic=a&_from=earliest")
      let live = try await gateway.http.events("/sub/s?topic=a")
      let again = try await rig.wire(.subscriptionAwarePublish, bind: endpoint)
      _ = try await again.subscription()
      try await again.publish("a", "end")
      func states(_ stream: EventReader) async throws -> [String] {
        var states: [String] = []
        while let event = try await stream.event(), event.json["method"] != "end" {
          if event.name == "upstream" { states.append(event.json["state"].text ?? "") }
        }
        return states
      }
      #expect(try await states(fromEvent) == ["down", "up"])
      #expect(try await states(fromChange) == ["down", "up"])
      #expect(try await states(fromStart) == ["up", "down", "up"])
      #expect(try await states(live) == ["down", "up"])
    }
  }

  @Test("what came while no stream was open is there, for each way of saying so", arguments: [1, 2])
  func ways(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let all = try await gateway.http.events("/sub/s")
      try await publish(0..<3, at: publisher)
      let id = try #require(try await all.event()?.id)
      _ = try await methods(2, of: all)
      all.close()
      try await publish(3..<5, at: publisher, topic: "b")
      let last = try await gateway.http.events("/sub/s?_from=earliest")
      #expect(try await methods(5, of: last) == ["0", "1", "2", "3", "4"])
      for (query, header) in [
        ("_last_event_id=\(id)", nil), ("lastEventId=\(id)&_from=earliest", nil), ("_last_event_id=x-1", id),
        ("_from=latest", id),
      ] as [(String, String?)] {
        let stream = try await gateway.http.events(
          "/sub/s?\(query)", headers: header.map { ["Last-Event-ID": $0] } ?? [:])
        #expect(stream.head.headers["stream-resumed-from"] == id)
        #expect(try await methods(4, of: stream) == ["1", "2", "3", "4"])
      }
      // The history holds all topics of the service; a stream gets its own.
      let b = try await gateway.http.events("/sub/s?topic=b", headers: ["Last-Event-ID": id])
      #expect(try await methods(2, of: b) == ["3", "4"])
    }
  }

  @Test("a stream whose events are gone is told how many, and goes on with the oldest kept", arguments: [1, 2])
  func evicted(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 100 }", threads: threads)
      let first = try await gateway.http.events("/sub/s?topic=a")
      try await publish(0..<1, at: publisher)
      let seen = try #require(try await first.event())
      first.close()
      try await publish(1..<501, at: publisher)
      let stream = try await eventually("all events are in") {
        let stream = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": seen.id ?? ""])
        let gap = try await stream.event()
        if gap?.json["missed"].integer == 400 { return (stream, gap) }
        stream.close()
        return nil
      }
      #expect(stream.1?.name == "gap")
      #expect(stream.1?.json == ["reason": "evicted", "missed": 400])
      #expect(stream.1?.id == stream.0.head.headers["stream-resumed-from"])
      #expect(stream.1?.sequence == (seen.sequence ?? 0) + 400)
      #expect(try await methods(100, of: stream.0) == (401..<501).map(String.init))
      // Whoever takes the id of the gap is told of nothing any more.
      let again = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": stream.1?.id ?? ""])
      #expect(try await methods(100, of: again) == (401..<501).map(String.init))
    }
  }

  @Test("after a restart of the gateway a stream is told so, and gets all that came since")
  func restart() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let first = try await gateway.http.events("/sub/s?topic=a")
      try await publish(0..<1, at: publisher)
      let id = try #require(try await first.event()?.id)
      await gateway.stop()
      await publisher.close()
      let (again, next) = try await rig.publisher()
      try await publish(1..<4, at: again)
      let stream = try await next.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      let gap = try await stream.event()
      #expect(gap?.name == "gap")
      #expect(gap?.json == ["reason": "restart", "missed": .null])
      #expect(gap?.id == stream.head.headers["stream-resumed-from"])
      #expect(try await methods(3, of: stream) == ["1", "2", "3"])
    }
  }

  @Test("a client that loses its connection before any event misses nothing")
  func beforeTheFirst() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let first = try await gateway.http.events("/sub/s?topic=a")
      let id = try #require(try await first.block()?.id)
      first.close()
      try await publish(0..<3, at: publisher)
      let stream = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      #expect(try await methods(3, of: stream) == ["0", "1", "2"])
    }
  }

  @Test("a silent stream learns to which event it has come, so that what was not for it is not missing later")
  func silence() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1s\nhistory: { events: 10 }", threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=b")
      let start = try #require(try await stream.block()?.sequence)
      try await publish(0..<50, at: publisher)
      var id: String?
      try await eventually("the id of the last event") {
        let block = try await stream.block()
        #expect(block?.comments == [""])
        if let sequence = block?.sequence { id = sequence == start + 50 ? block?.id : nil }
        return id != nil
      }
      stream.close()
      let again = try await gateway.http.events("/sub/s?topic=b", headers: ["Last-Event-ID": id ?? ""])
      try await publish(50..<51, at: publisher, topic: "b")
      #expect(try await methods(1, of: again) == ["50"])
    }
  }

  @Test("where no history is kept, a stream that comes back is told that something may be missing")
  func withoutHistory() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 0 }\nlinger: 0s")
      let first = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publish(0..<1, at: publisher)
      let id = try #require(try await first.event()?.id)
      first.close()
      #expect(try await publisher.subscription() == "-a")
      let stream = try await gateway.http.events("/sub/s?topic=a", headers: ["Last-Event-ID": id])
      #expect(try await stream.event()?.json == ["reason": "evicted", "missed": .null])
      #expect(try await publisher.subscription() == "+a")
      try await publish(1..<2, at: publisher)
      #expect(try await methods(1, of: stream) == ["1"])
    }
  }

  @Test("a start that is none is refused", arguments: ["first", "", "LATEST"])
  func unknownStart(from: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      let reply = try await gateway.http.get("/sub/s?_from=\(from)")
      #expect(reply.status == 400)
      #expect(reply.json["code"] == "bad-query")
    }
  }
}
