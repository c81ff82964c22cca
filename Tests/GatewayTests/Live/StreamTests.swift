import MessagePack
import Support
import Testing
import ZeroMQ

/// Server-sent events from a publisher that the test plays.
@Suite("live streams", .inTurn(minutes: 3))
struct StreamTests {
  @Test("a stream is open at once, before there is any event or even a publisher")
  func opening() async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/at-all"], retry: 2s } }"#)
      let stream = try await gateway.http.events("/sub/s")
      #expect(stream.head.status == 200)
      #expect(stream.head.headers["content-type"] == "text/event-stream; charset=utf-8")
      #expect(stream.head.headers["cache-control"] == "no-store")
      #expect(stream.head.headers["x-accel-buffering"] == "no")
      let first = try await stream.block()
      #expect(first?.comments == ["ok"])
      #expect(first?.retry == 2_000)
      // A client that sees no event before the connection breaks misses none either.
      #expect(first?.sequence == 0)
      #expect(first?.data == nil)
      let second = try await stream.block()
      #expect(second?.name == "upstream")
      #expect(second?.json["state"] == "down")
    }
  }

  @Test("an event is the published call, with an id that counts up by one")
  func content() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=news")
      #expect(try await publisher.subscription() == "+news")
      try await publisher.send([
        "news.eu".bytes, "created".bytes, [0x92, 17, 0xC0],
        [0x81, 0xA3] + "eur".bytes + [0xCB, 0x40, 0x29, 0, 0, 0, 0, 0, 0],
      ])
      try await publisher.send([[0x6E, 0x65, 0x77, 0x73, 0xFF], "x.y".bytes, [0x91, 0xC4, 1, 7], [0x80]])
      try await publisher.publish("news", "third")
      var events: [EventReader.Block] = []
      for _ in 0..<3 { if let event = try await stream.event(named: "") { events.append(event) } }
      #expect(events[0].data == #"{"topic":"news.eu","method":"created","args":[17,null],"kwargs":{"eur":12.5}}"#)
      #expect(events[1].data == #"{"topic":{"$bin":"bmV3c/8="},"method":"x.y","args":[{"$bin":"Bw=="}],"kwargs":{}}"#)
      #expect(events[2].json["method"] == "third")
      #expect(events.allSatisfy { $0.name == nil })
      #expect(Set(events.map(\.epoch)).count == 1)
      let sequences = events.compactMap(\.sequence)
      #expect(sequences == [sequences[0], sequences[0] + 1, sequences[0] + 2])
    }
  }

  @Test("topics are prefixes, and several are or-ed; an event comes once")
  func topics() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let both = try await gateway.http.events("/sub/s?topic=a&topic=ab&topic=c%2Fd")
      let other = try await gateway.http.events("/sub/s?topic=b")
      let all = try await gateway.http.events("/sub/s")
      var subscribed: Set<String> = []
      for _ in 0..<4 { subscribed.insert(try await publisher.subscription()) }
      #expect(subscribed == ["+a", "+ab", "+c/d", "+b"])
      for topic in ["abc", "b", "c/d", "c", "end-a", "a-end", "b-end"] { try await publisher.publish(topic, "m") }
      #expect(try await both.topics(through: "a-end") == ["abc", "c/d", "a-end"])
      #expect(try await other.topics(through: "b-end") == ["b", "b-end"])
      #expect(try await all.topics(through: "b-end") == ["abc", "b", "c/d", "c", "end-a", "a-end", "b-end"])
    }
  }

  @Test("streams on all shards see the same ids")
  func shards() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      var streams: [EventReader] = []
      for _ in 0..<12 { streams.append(try await gateway.http.events("/sub/s?topic=t")) }
      #expect(try await publisher.subscription() == "+t")
      // A shard may attach later than another, so it goes on until the last stream has seen an event.
      let publishing = Task {
        // One for each round trip, so that nobody falls behind.
        while !Task.isCancelled, try await gateway.http.get("/live").status == 200 {
          try await publisher.publish("t", "m")
        }
      }
      defer { publishing.cancel() }
      var newest: [EventReader.Block] = []
      for stream in streams { if let event = try await stream.event(named: "") { newest.append(event) } }
      let last = newest.compactMap(\.sequence).max() ?? 0
      var ids: Set<String?> = []
      for (stream, first) in zip(streams, newest) {
        var event: EventReader.Block? = first
        while let now = event?.sequence, now < last + 1 { event = try await stream.event(named: "") }
        ids.insert(event?.id)
      }
      #expect(ids.count == 1)
    }
  }

  @Test("a silent stream gets a comment in each heartbeat")
  func heartbeat() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("heartbeat: 1s", threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=t")
      _ = try await publisher.subscription()
      try await stream.heartbeat()
      let time = try await duration {
        try await stream.heartbeat()
        try await stream.heartbeat()
      }
      #expect(time > .milliseconds(1_200))
      #expect(time < .milliseconds(3_500))
    }
  }

  @Test("events larger than any buffer arrive whole", arguments: [100_000, 1_000_000])
  func large(size: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=t")
      _ = try await publisher.subscription()
      let text = String(repeating: "0123456789", count: size / 10)
      try await publisher.publish("t", "m", [.string(text)])
      try await publisher.publish("t", "end")
      let event = try await stream.event(named: "")
      #expect(event?.json["args"][0].text == text)
      #expect(try await stream.event(named: "")?.json["method"] == "end")
    }
  }

  @Test("a message that cannot be shown is a gap with a number, for those who asked for its topic", arguments: [1, 2])
  func undecodable(threads: Int) async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let gateway = try await rig.gateway(
        """
        s:
          pattern: pubsub
          json: { nonfinite: error }
          subscribe: { connect: ["\(await publisher.endpoint)"] }
        """, threads: threads)
      let streams = [try await gateway.http.events("/sub/s?topic=t"), try await gateway.http.events("/sub/s")]
      let other = try await gateway.http.events("/sub/s?topic=u")
      for _ in 0..<3 { _ = try await publisher.subscription() }
      let deep = [UInt8](repeating: 0x91, count: 70) + [0x90]
      let messages: [[[UInt8]]] = [
        ["t".bytes], ["t".bytes, "m".bytes, [0x90]], ["t".bytes, "m".bytes, [0x90], [0x80], [0x80]],
        ["t1".bytes, "m".bytes, [0xC1], [0x80]], ["t".bytes, "m".bytes, [], []],
        ["t".bytes, "m".bytes, [0x90, 1], [0x80]], ["t".bytes, "m".bytes, [0x91, 0xCA, 0x7F, 0xC0, 0, 0], [0x80]],
        ["t".bytes, "m".bytes, [0x90], [0x81, 0x90]], ["t".bytes, "m".bytes, deep, [0x80]],
        ["t".bytes, "m".bytes, [0x01], [0x80]], ["t".bytes, "m".bytes, [0x80], [0x80]],
        ["t".bytes, "m".bytes, [0x90], [0x90]], ["t".bytes, "m".bytes, [0x90], [0xC0]],
        .init(repeating: "t".bytes, count: 40),
      ]
      try await publisher.publish("t", "begin")
      for frames in messages { try await publisher.send(frames) }
      try await publisher.publish("u", "end")
      try await publisher.publish("t", "end")
      for stream in streams {
        let first = try await stream.event(named: "")
        #expect(first?.json["method"] == "begin")
        let sequence = try #require(first?.sequence)
        for index in messages.indices {
          let gap = try await stream.event()
          #expect(gap?.name == "gap")
          #expect(gap?.json == ["reason": "undecodable", "missed": 1])
          #expect(gap?.epoch == first?.epoch)
          #expect(gap?.sequence == sequence + index + 1)
        }
        #expect(try await stream.event()?.json["method"] == "end")
      }
      #expect(try await other.event()?.json["method"] == "end")
    }
  }

  @Test(
    "a client that says which event it saw last, in the header or the query, is told that events are missing",
    arguments: [
      ("_last_event_id=x-1", nil), ("lastEventId=x-1", nil), ("", "x-1"), ("lastEventId=x-1", ""),
      ("_last_event_id=x-1", "x-2"), ("lastEventId=x-1", "x-2"), ("lastEventId=x-2&_last_event_id=x-1", nil),
      ("lastEventId=&_last_event_id=x-1", ""), ("_last_event_id=&lastEventId=x-2", nil),
      ("lastEventId=no+id+of+ours", nil),
    ])
  func gap(query: String, header: String?) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events(
        "/sub/s?\(query)", headers: header.map { ["Last-Event-ID": $0] } ?? [:])
      let event = try await stream.event()
      #expect(event?.name == "gap")
      let id = [header, query.split(separator: "lastEventId=").last.map(String.init)].compactMap { $0 }.first {
        !$0.isEmpty
      }
      let reason: JSON = id?.contains("no+id") == true ? "unknown-id" : "restart"
      #expect(event?.json == ["reason": reason, "missed": .null])
      #expect(event?.id == stream.head.headers["stream-resumed-from"])
    }
  }

  @Test("a last id that is given twice, or as JSON, is refused; other names that are like it too")
  func brokenLastID() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      for (query, code) in [
        ("lastEventId=a&lastEventId=b", "bad-query"), ("lastEventId:=1", "bad-query"), ("lastEventId=%FF", "bad-query"),
        ("lastEventId", "bad-query"), ("lastEventID=a", "unknown-parameter"), ("last_event_id=a", "unknown-parameter"),
      ] {
        let reply = try await gateway.http.get("/sub/s?\(query)")
        #expect(reply.status == 400)
        #expect(reply.json["code"] == .string(code), "\(query)")
      }
    }
  }

  @Test(
    "an empty last id is none: nothing is missing",
    arguments: [
      ("", nil), ("", ""), ("?_last_event_id=", nil), ("?lastEventId=", nil), ("?lastEventId=", ""),
      ("?lastEventId=&_last_event_id=", ""),
    ])
  func emptyID(query: String, header: String?) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s\(query)", headers: header.map { ["Last-Event-ID": $0] } ?? [:])
      #expect(stream.head.headers["stream-resumed-from"] == nil)
      try await publisher.publish("t", "first")
      var names: [String?] = []
      while let event = try await stream.event(), event.json["method"] != "first" { names.append(event.name) }
      #expect(!names.contains("gap"))
    }
  }

  @Test("only offered topics can be asked for, and HEAD opens no stream")
  func offered() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(#"topics: ["a", "b/"]"#)
      let http = gateway.http
      #expect(try await http.get("/sub/s?topic=c").json["code"] == "no-such-topic")
      #expect(try await http.get("/sub/s?topic=b").json["code"] == "no-such-topic")
      #expect(try await http.get("/sub/s?topics=a").json["code"] == "unknown-parameter")
      #expect(try await http.get("/sub/s?topic=\(String(repeating: "a", count: 246))").json["code"] == "bad-query")
      let head = try await http.send("HEAD", "/sub/s?topic=a")
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == nil)
      #expect(await publisher.waiting == 0)
      let stream = try await http.events("/sub/s")
      #expect(stream.head.status == 200)
      for topic in ["a", "b", "b/", "a"] { try await publisher.publish(topic, "m") }
      #expect(try await stream.topics(through: "b/") == ["a", "b/"])
    }
  }

  @Test("the longest topic works")
  func longest() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let topic = String(repeating: "a", count: 245)
      let stream = try await gateway.http.events("/sub/s?topic=\(topic)")
      #expect(try await publisher.subscription() == "+\(topic)")
      try await publisher.publish(topic + "b", "m")
      #expect(try await stream.event(named: "")?.json["topic"] == .string(topic + "b"))
    }
  }
}

extension EventReader {
  /// Waits for an empty comment.
  func heartbeat() async throws {
    while let block = try await block() {
      if block.comments == [""] { return }
    }
  }

  /// The topics of the events up to the one with that topic.
  func topics(through last: String) async throws -> [String] {
    var topics: [String] = []
    while let event = try await event(named: ""), let topic = event.json["topic"].text {
      topics.append(topic)
      if topic == last { break }
    }
    return topics
  }
}
