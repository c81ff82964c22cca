import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// Events that take long to be encoded, streams that take long to be opened, and many that end at once.
@Suite("long work of streams", .serialized, .inTurn(minutes: 4))
struct LongEventTests {
  private func publisher(_ rig: Rig, threads: Int) async throws -> (WireSocket, LiveGateway) {
    var options = SocketOptions()
    // What is published just before it closes arrives.
    options.linger = .seconds(5)
    let publisher = try await rig.wire(.subscriptionAwarePublish, options: options)
    let gateway = try await rig.gateway(
      #"s: { pattern: pubsub, subscribe: { connect: ["\#(await publisher.endpoint)"], history: { bytes: 64MiB } } }"#,
      http: "limits: { depth: 400, inline: 4KiB, target: 16KiB }", threads: threads)
    for _ in gateway.subscribedFromTheStart { _ = try await publisher.subscription() }
    return (publisher, gateway)
  }

  @Test("requests are answered while a long event is encoded, and the events keep their order", arguments: [1, 2])
  func order(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await publisher(rig, threads: threads)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "before")
      try await publisher.send(["a".bytes, "long".bytes, [0x91] + LongReplyTests.slow, [0x80]])
      try await publisher.send(["a".bytes, "bad".bytes, [UInt8](repeating: 7, count: 5_000), [0x80]])
      for number in 0..<300 { try await publisher.publish("a", "\(number)") }
      let isDone = Guarded(false)
      let reading = Task {
        var names: [String] = []
        var last: Int?
        while names.count < 303, let event = try await stream.event() {
          if let last { #expect(event.sequence == last + 1) }
          last = event.sequence
          names.append(event.name ?? event.json["method"].text ?? "")
          if names.last == "long" { isDone.withLock { $0 = true } }
        }
        return names
      }
      // On each shard, while it is encoded.
      for _ in 0..<8 { #expect(try await gateway.http.get("/live").status == 200) }
      #expect(!isDone.withLock { $0 })
      #expect(try await reading.value == ["before", "long", "gap"] + (0..<300).map(String.init))
    }
  }

  @Test("a publisher that goes while its event is encoded is told of after it")
  func publisherGoes() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await publisher(rig, threads: 1)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.send(["a".bytes, "long".bytes, [0x91] + LongReplyTests.slow, [0x80]])
      await publisher.close()
      #expect(try await stream.event()?.json["method"] == "long")
      #expect(try await stream.event()?.json["state"] == "down")
    }
  }

  @Test("streams of many topics open, are refused and leave, many at once", arguments: [1, 2])
  func openings(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await publisher(rig, threads: threads)
      let query = (0..<512).map { "topic=a\($0)" }.joined(separator: "&")
      for _ in 0..<20 { try gateway.http.begin("GET", "/sub/s?\(query)").reset() }
      let streams = try await withThrowingTaskGroup { group in
        for index in 0..<20 {
          group.addTask { try await gateway.http.events("/sub/s?\(query)&topic=b\(index % 2)&_x=1") }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      for stream in streams { #expect(stream.head.status == 400) }
      let open = try await gateway.http.events("/sub/s?\(query)")
      #expect(open.head.status == 200)
      for _ in 0..<512 { #expect(try await publisher.subscription().hasPrefix("+a")) }
      try await publisher.publish("a7", "m")
      #expect(try await open.event(named: "")?.json["method"] == "m")
    }
  }

  @Test("all streams get their farewell, also more than end in one turn")
  func drain() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await publisher(rig, threads: 1)
      var streams: [EventReader] = []
      for index in 0..<600 { streams.append(try await gateway.http.events("/sub/s?topic=a\(index % 3)")) }
      for _ in 0..<3 { _ = try await publisher.subscription() }
      await gateway.stop()
      for stream in streams { #expect(try await stream.event()?.name == "bye") }
    }
  }
}
