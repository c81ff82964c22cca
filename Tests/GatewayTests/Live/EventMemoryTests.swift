import HTTPServer
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

/// Events in the memory that clients and peers may take.
@Suite("the memory of events", .inTurn(minutes: 3))
struct EventMemoryTests {
  private func text(_ bytes: Int) -> Value { .string(String(repeating: "x", count: bytes)) }

  @Test(
    "a long event is encoded beside the shard, and those behind it keep their order and numbers", arguments: [1, 2])
  func order(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let stream = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      let long = text(300_000)
      for number in 0..<300 { try await publisher.publish("a", "\(number)", number % 50 == 0 ? [long] : []) }
      try await publisher.send(["a".bytes])
      try await publisher.publish("a", "end")
      var last: Int?
      for number in 0..<300 {
        let event = try await stream.event()
        #expect(event?.json["method"] == .string("\(number)"))
        if number % 50 == 0 { #expect(event?.json["args"][0].text?.utf8.count == 300_000) }
        if let last { #expect(event?.sequence == last + 1) }
        last = event?.sequence
      }
      #expect(try await stream.event()?.json == ["reason": "undecodable", "missed": 1])
      #expect(try await stream.event()?.json["method"] == "end")
    }
  }

  @Test("a long event that has no form in JSON is a gap")
  func undecodable() async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher()
      let stream = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      try await publisher.publish("a", "begin")
      // Two values where one is wanted.
      try await publisher.send(["a".bytes, "m".bytes, text(300_000).packed + [0xC0], [0x80]])
      try await publisher.publish("a", "end")
      let first = try await stream.event()
      let gap = try await stream.event()
      #expect(gap?.json == ["reason": "undecodable", "missed": 1])
      #expect(gap?.sequence == first?.sequence.map { $0 + 1 })
      #expect(try await stream.event()?.json["method"] == "end")
    }
  }

  /// A hub and its streams on one shard, driven from within.
  private func withShard(
    memory limit: String = "4MiB", _ body: (Shard, MemoryBudget, HTTPClient) async throws -> Void
  ) async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let yaml = """
        http: { listen: ["127.0.0.1:0"], limits: { memory: \(limit), inline: 16MiB } }
        services:
          s: { pattern: pubsub, subscribe: { connect: ["\(await publisher.endpoint)"], heartbeat: 1h } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let memory = MemoryBudget(limit: configuration.http.limits.memory)
      let shared = configuration.services.map {
        SharedService($0, memory: memory, transcoding: BackgroundQueue(name: "test"), logger: Rig.logger)
      }
      let context = try Context()
      let reactor = try Reactor(name: "home")
      let shard = Shard(reactor, .init(), logger: Rig.logger)
      rig.cleanup.add { reactor.shutdown() }
      rig.cleanup.add { await shard.close() }
      try await shard.open(configuration, shards: [shard], shared: shared, context: context, logger: Rig.logger)
      let listener = try Listener.open(configuration.http.listen[0])
      try await shard.listen(
        on: listener, options: configuration.http.limits.server, tls: nil,
        openConnections: OpenConnections(limit: 100, perAddress: 100),
        memory: memory, logger: Rig.logger)
      try await eventually("the publisher is connected") { await shard.isConnected }
      try await body(shard, memory, HTTPClient(port: listener.address.port))
    }
  }

  @Test("events count as long as they are kept, and the oldest make room for the next")
  func oldest() async throws {
    try await withShard { shard, memory, client in
      let stream = try await client.events("/sub/s?topic=a")
      for number in 0..<20 {
        await shard.publish("\(number)", bytes: 400_000)
        #expect(try await stream.event()?.json["method"] == .string("\(number)"))
        #expect(memory.count <= 4 << 20)
      }
      // Half of the memory is the service's part while others have nothing.
      #expect(memory.count > 1 << 20)
      for number in 20..<1_050 { await shard.publish("\(number)", bytes: 10) }
      for number in 20..<1_050 { #expect(try await stream.event()?.json["method"] == .string("\(number)")) }
      // Neither the history nor a window has a long one any more.
      await shard.publish("last", bytes: 10)
      #expect(try await stream.event()?.json["method"] == "last")
      try await eventually("nothing is kept") { memory.count == 0 }
    }
  }

  @Test("an event that has no room is a gap that says so, one that has is not, and short ones always have")
  func full() async throws {
    try await withShard { shard, memory, client in
      let stream = try await client.events("/sub/s?topic=a")
      await shard.publish("first", bytes: 10)
      let first = try await stream.event()
      // Somebody else has taken all but half a mebibyte.
      let others = (4 << 20) - (1 << 19)
      memory.take(others)
      await shard.publish("fits", bytes: 500_000)
      #expect(try await stream.event()?.json["method"] == "fits")
      await shard.publish("none", bytes: (1 << 19) + 1)
      let gap = try await stream.event()
      #expect(gap?.name == "gap")
      #expect(gap?.json == ["reason": "memory", "missed": 1])
      #expect(gap?.sequence == first?.sequence.map { $0 + 2 })
      await shard.publish("short", bytes: 3_900)
      #expect(try await stream.event()?.json["method"] == "short")
      memory.give(others)
      await shard.publish("again", bytes: (1 << 19) + 1)
      #expect(try await stream.event()?.json["method"] == "again")
    }
  }

  @Test("what a stream is in the midst of counts until it is read or the stream closes")
  func unread() async throws {
    try await withShard(memory: "32MiB") { shard, memory, client in
      // Too long for what the sockets hold.
      let slow = try await client.events("/sub/s?topic=a", receiveBuffer: 4_096)
      await shard.publish("long", bytes: 12_000_000)
      try await eventually("the event is kept") { memory.count >= 12_000_000 }
      for number in 0..<1_030 { await shard.publish("\(number)", bytes: 10) }
      #expect(memory.count >= 12_000_000)
      slow.close()
      try await eventually("it is let go") { memory.count == 0 }
    }
  }
}

extension Shard {
  fileprivate var isConnected: Bool { hub("s")?.isConnected == true }

  /// Has the hub receive a call on `a` with a string of so many bytes, in a turn of its own.
  fileprivate func publish(_ method: String, bytes: Int) {
    hub("s")?.receive(method, bytes: bytes)
    hub("s")?.publishedAll()
  }
}
