import MessagePack
import Support
import Testing
import ZeroMQ

/// The last event of a topic, asked for alone or at the beginning of a stream.
@Suite("last values", .inTurn(minutes: 3))
struct LastValueTests {
  private func last(_ gateway: LiveGateway, _ query: String, is method: String) async throws -> HTTPReply {
    try await eventually("\(method) to be the last") {
      let reply = try await gateway.http.get("/sub/s/last?\(query)")
      return reply.status == 200 && reply.json["method"] == .string(method) ? reply : nil
    }
  }

  @Test("the last event of a topic is its data, with an id, a tag, and 304 for who knows it", arguments: [1, 2])
  func fetch(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("last: {}", threads: threads)
      for method in ["first", "second"] { try await publisher.publish("a", method, [17]) }
      try await publisher.publish("a.b", "other")
      let reply = try await last(gateway, "topic=a", is: "second")
      #expect(reply.body == #"{"topic":"a","method":"second","args":[17],"kwargs":{}}"#)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(reply.headers["cache-control"] == "no-cache")
      let tag = try #require(reply.headers["etag"])
      #expect(tag == "\"\(reply.headers["last-event-id"] ?? "")\"")
      let known = try await gateway.http.get("/sub/s/last?topic=a", headers: ["If-None-Match": tag])
      #expect(known.status == 304)
      #expect(known.bytes.isEmpty)
      let head = try await gateway.http.send("HEAD", "/sub/s/last?topic=a")
      #expect(head.status == 200)
      #expect(head.headers["etag"] == tag)
      // A stream that goes on behind it gets what came after it.
      let stream = try await gateway.http.events(
        "/sub/s?topic=a", headers: ["Last-Event-ID": reply.headers["last-event-id"] ?? ""])
      #expect(try await stream.event(named: "")?.json["method"] == "other")
      try await publisher.publish("a", "third")
      _ = try await last(gateway, "topic=a", is: "third")
      #expect(try await gateway.http.get("/sub/s/last?topic=a", headers: ["If-None-Match": tag]).status == 200)
    }
  }

  @Test(
    "what has no last event is told why",
    arguments: [
      ("topic=none", 404, "no-such-topic"), ("topic=x", 404, "no-such-topic"), ("", 400, "bad-query"),
      ("topic=a&topic=b", 400, "bad-query"), ("prefix=a", 400, "unknown-parameter"),
      ("_from=latest", 400, "unknown-parameter"),
    ])
  func refused(query: String, status: Int, code: String) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("last: { topics: 10 }\ntopics: [a, none]", threads: 1)
      let reply = try await gateway.http.get("/sub/s/last?\(query)")
      #expect(reply.status == status)
      #expect(reply.headers["gateway-error"] == code)
    }
  }

  @Test("a topic as long as may be has a last event and stands in snapshots; a longer one that begins alike is another")
  func longest() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("last: {}", threads: 1)
      let topic = String(repeating: "t", count: 245)
      try await publisher.publish(topic, "right")
      for rest in ["x", "yz"] { try await publisher.publish(topic + rest, "wrong") }
      try await publisher.publish("u", "end")
      _ = try await last(gateway, "topic=u", is: "end")
      _ = try await last(gateway, "topic=\(topic)", is: "right")
      let stream = try await gateway.http.events("/sub/s?topic=\(topic)&topic=u&_from=snapshot")
      for method in ["right", "end"] {
        #expect(try await stream.event(named: "")?.json["method"] == .string(method))
      }
    }
  }

  @Test("a service that keeps none says how it would")
  func none() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher(threads: 1)
      let reply = try await gateway.http.get("/sub/s/last?topic=a")
      #expect(reply.status == 404)
      #expect(reply.json["detail"].text?.contains("subscribe: { last: {} }") == true)
      let stream = try await gateway.http.get("/sub/s?_from=snapshot")
      #expect(stream.status == 400)
      #expect(stream.json["detail"].text?.contains("last") == true)
      #expect(try await gateway.http.get("/sub/s/first").headers["gateway-error"] == "no-such-route")
    }
  }

  @Test("a snapshot is each topic once, then what comes, without a seam", arguments: [1, 2])
  func snapshot(threads: Int) async throws {
    try await Rig.with { rig in
      // No history: what the snapshot has comes from nowhere else.
      let (publisher, gateway) = try await rig.publisher("last: {}\nhistory: { events: 0 }", threads: threads)
      for round in 0..<3 { for topic in 0..<200 { try await publisher.publish("t.\(topic)", "\(round)") } }
      try await publisher.publish("u", "end")
      _ = try await last(gateway, "topic=u", is: "end")
      let stream = try await gateway.http.events("/sub/s?topic=t.&_from=snapshot")
      #expect(stream.head.headers["stream-resumed-from"] == nil)
      // One that loses the connection now asks for the snapshot again.
      #expect(try await stream.block()?.id == nil)
      try await publisher.publish("t.7", "live")
      var topics: [String] = []
      for _ in 0..<200 {
        let event = try #require(try await stream.event(named: ""))
        #expect(event.json["method"] == "2")
        topics.append(event.json["topic"].text ?? "")
      }
      #expect(Set(topics).count == 200)
      // Then it is where all that is kept has been told, and a client that resumes misses nothing.
      let seam = try await stream.block()
      #expect(seam?.data == nil)
      #expect(seam?.id != nil)
      #expect(try await stream.event(named: "")?.json == ["topic": "t.7", "method": "live", "args": [], "kwargs": [:]])
    }
  }

  @Test(
    "whatever is published while streams open, each sees the newest of each topic, and never an older one after it",
    arguments: [1, 2])
  func seam(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("last: {}", threads: threads)
      for topic in 0..<100 { try await publisher.publish("t.\(topic)", "m", [0]) }
      try await publisher.publish("u", "end")
      _ = try await last(gateway, "topic=u", is: "end")
      let publishing = Task {
        var random = SplitMix(state: 3)
        for number in 1...5_000 {
          try await publisher.publish("t.\(Int.random(in: 0..<100, using: &random))", "m", [.int(Int64(number))])
          if number.isMultiple(of: 50) { _ = try await gateway.http.get("/live") }
        }
        for topic in 0..<100 { try await publisher.publish("t.\(topic)", "m", [.int(10_000)]) }
      }
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            let stream = try await gateway.http.events("/sub/s?topic=t.&_from=snapshot")
            var newest: [String: Int] = [:]
            var last = 0
            var isLive = false
            while newest.values.filter({ $0 == 10_000 }).count < 100 {
              let block = try #require(try await stream.block())
              guard let sequence = block.sequence else { continue }
              if block.data == nil {
                // All up to here has been told, those topics aside that have a newer event, which comes in its place.
                #expect(sequence >= last)
                isLive = true
              } else {
                // In the snapshot in order and none twice; behind it none is left out.
                #expect(isLive ? sequence == last + 1 : sequence > last)
                newest[block.json["topic"].text ?? ""] = block.json["args"][0].integer
              }
              last = sequence
            }
            #expect(isLive)
          }
        }
        try await group.waitForAll()
      }
      try await publishing.value
    }
  }
}
