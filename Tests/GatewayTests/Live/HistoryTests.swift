import Logging
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

/// The history at the hub, and the streams that need it.
@Suite("the history of a service", .inTurn(minutes: 3))
struct HistoryTests {
  @Test("what came in is there after the last stream has closed, until it is too old")
  func survives() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let clock = ManualClock()
      let yaml = """
        http: { listen: ["127.0.0.1:0"] }
        services:
          s: { pattern: pubsub, subscribe: { connect: ["\(await publisher.endpoint)"], linger: 1h } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let reactors = [try Reactor(name: "home", clock: clock.read), try Reactor(name: "other")]
      let shards = reactors.map { Shard($0, .init(), logger: Rig.logger) }
      let context = try Context()
      let shared = configuration.services.map {
        SharedService(
          $0, memory: MemoryBudget(limit: 1 << 30), transcoding: BackgroundQueue(name: "test"), logger: Rig.logger)
      }
      rig.cleanup.add { for reactor in reactors { reactor.shutdown() } }
      for shard in shards {
        rig.cleanup.add { await shard.close() }
        try await shard.open(
          configuration, shards: shards, shared: shared, context: context, logger: Rig.logger)
      }
      let (home, other) = (shards[0], shards[1])
      let filter = TopicFilter(prefixes: [Array("a".utf8)])
      home.ask(shared[0], .open(filter, .latest, ticket: 1), from: other)
      #expect(try await publisher.subscription() == "+")
      #expect(try await publisher.subscription() == "+a")
      try await publisher.publish("a", "one")
      try await eventually("the first event") { try await home.methods() == ["one"] }
      home.ask(shared[0], .closed(filter), from: other)
      #expect(try await home.methods() == ["one"])
      try await publisher.publish("a", "two")
      try await eventually("the second event") { try await home.methods() == ["one", "two"] }
      clock.advance(by: .seconds(600))
      reactors[0].wake()
      try await publisher.publish("a", "three")
      try await eventually("the third event") { try await home.methods() == ["one", "two", "three"] }
      clock.advance(by: .seconds(1))
      reactors[0].wake()
      try await eventually("the end of the first two") { try await home.methods() == ["three"] }
    }
  }

  @Test("a stream that falls behind its shard's window goes on from the history and misses nothing", arguments: [1, 2])
  func behind(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("history: { events: 1000, bytes: 64MiB }", threads: threads)
      // With two threads some of them are on the home shard, and some are not.
      var slow: [EventReader] = []
      for _ in 0..<2 { slow.append(try await gateway.http.events("/sub/s?topic=a", receiveBuffer: 65_536)) }
      let quick = try await gateway.http.events("/sub/s?topic=a")
      _ = try await publisher.subscription()
      try await gateway.areAttached(slow + [quick], publisher)
      // 12 MB are more than a window and what the sockets hold.
      let text = Value.string(String(repeating: "x", count: 100_000))
      for number in 0..<120 {
        try await publisher.publish("a", "\(number)", [text])
        while try await quick.event(named: "")?.json["method"] == "attached" {}
      }
      try await publisher.publish("a", "end")
      for stream in slow {
        var (last, read): (Int?, Int) = (nil, 0)
        while let event = try await stream.event() {
          #expect(event.name == nil)
          if let last { #expect(event.sequence == last + 1) }
          last = event.sequence
          if event.json["args"][0].text != nil { read += 1 }
          if event.json["method"] == "end" { break }
        }
        #expect(read == 120)
      }
      // They are at the present again, and get what comes.
      try await publisher.publish("a", "after")
      for stream in slow { #expect(try await stream.event()?.json["method"] == "after") }
    }
  }
}

extension Shard {
  /// The methods of the events in the history of the service `s`.
  fileprivate func methods() throws -> [String] {
    guard let history = hub("s")?.history else { return [] }
    return history.page(from: history.first, matching: TopicFilter(prefixes: [[]])).events.compactMap { event in
      let lines = String(decoding: event.text, as: UTF8.self).split(separator: "\n")
      return lines.first { $0.hasPrefix("data: ") }.flatMap { JSON(String($0.dropFirst(6)))?["method"].text }
    }
  }
}
