import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

@testable import Gateway

/// How many topics the streams of a service may ask for.
@Suite("many topics", .inTurn(minutes: 3))
struct TopicLimitTests {
  @Test("as many topics as the limit fit; a stream beyond it is refused before it opens, until there is room")
  func limit() async throws {
    try await Rig.with { rig in
      // Streams on several shards count together.
      let (publisher, gateway) = try await rig.publisher("topics-limit: 3\nlinger: 1h", threads: 4)
      let http = gateway.http
      let first = try await http.events("/sub/s?topic=a&topic=b")
      let second = try await http.events("/sub/s?topic=b&topic=c&topic=c")
      var subscribed: Set<String> = []
      for _ in 0..<3 { subscribed.insert(try await publisher.subscription()) }
      #expect(subscribed == ["+a", "+b", "+c"])
      for _ in 0..<8 {
        let reply = try await http.get("/sub/s?topic=a&topic=d")
        #expect(reply.status == 503)
        #expect(reply.json["code"] == "too-many-topics")
        #expect(reply.headers["retry-after"] == "1")
        #expect(try await http.send("HEAD", "/sub/s?topic=d").status == 200)
      }
      let third = try await http.events("/sub/s?topic=a&topic=b&topic=c")
      third.close()
      first.close()
      try await eventually("room for another topic") {
        let stream = try await http.events("/sub/s?topic=d")
        defer { stream.close() }
        return stream.head.status == 200
      }
      // What lingered made room.
      #expect(try await publisher.subscription() == "-a")
      #expect(try await publisher.subscription() == "+d")
      second.close()
    }
  }

  @Test(
    "a stream may name as many topics as the limit; one more is refused, and waiting does not help", arguments: [1, 2])
  func perStream(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher("topics-per-stream: 3", threads: threads)
      let http = gateway.http
      for query in ["topic=a&topic=b&topic=c&topic=d", "topic=a&topic=a&topic=a&topic=a"] {
        for method in ["GET", "HEAD"] {
          let reply = try await http.send(method, "/sub/s?\(query)")
          #expect(reply.status == 400)
          #expect(reply.headers["gateway-error"] == "too-many-topics")
          #expect(reply.headers["retry-after"] == nil)
          if method == "GET" { #expect(reply.json["retryable"] == false) }
        }
      }
      let stream = try await http.events("/sub/s?topic=a&topic=b&topic=c")
      #expect(stream.head.status == 200)
      var subscribed: Set<String> = []
      for _ in 0..<3 { subscribed.insert(try await publisher.subscription()) }
      #expect(subscribed == ["+a", "+b", "+c"])
    }
  }

  @Test("by default a stream may name 512 topics")
  func perStreamByDefault() async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher()
      let query = (0..<513).map { "topic=\($0)" }
      #expect(try await gateway.http.get("/sub/s?\(query.joined(separator: "&"))").status == 400)
      let stream = try await gateway.http.events("/sub/s?\(query.dropLast().joined(separator: "&"))")
      #expect(stream.head.status == 200)
    }
  }

  @Test("a client that leaves before its stream opens leaves no topic behind", arguments: [1, 4])
  func abandoned(threads: Int) async throws {
    try await Rig.with { rig in
      let (_, gateway) = try await rig.publisher("topics-limit: 1\nlinger: 1h", threads: threads)
      for _ in 0..<200 {
        let connection = try HTTPConnection(port: gateway.http.port)
        connection.send("GET", "/sub/s?topic=a", headers: [:], body: nil)
        connection.reset()
      }
      try await eventually("room for another topic") {
        let stream = try await gateway.http.events("/sub/s?topic=b")
        defer { stream.close() }
        return stream.head.status == 200
      }
    }
  }

  @Test("ten thousand topics on one service all work, also after the publisher was away", arguments: [2])
  func tenThousand(threads: Int) async throws {
    try await Rig.with { rig in
      let (publisher, gateway) = try await rig.publisher(threads: threads)
      let topics = (0..<10_000).map { "\($0 + 10_000)" }
      // A target holds 8 KiB.
      var streams: [EventReader] = []
      for start in stride(from: 0, to: topics.count, by: 500) {
        let query = topics[start..<(start + 500)].map { "topic=\($0)" }.joined(separator: "&")
        streams.append(try await gateway.http.events("/sub/s?\(query)"))
      }
      #expect(streams.allSatisfy { $0.head.status == 200 })
      try await all(topics, arriveAt: publisher, and: streams)
      await publisher.close()
      for stream in streams {
        #expect(try await stream.event(named: "upstream")?.json == ["state": "down", "connected": 0, "of": 1])
      }
      let again = try await rig.wire(.subscriptionAwarePublish)
      try await all(topics, arriveAt: again, and: streams)
    }
  }

  @Test(
    "topics are subscribed to and ended some hundreds in a turn, so that all else on the shard has its turns between")
  func turns() async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let yaml = """
        http: { listen: ["127.0.0.1:0"] }
        services:
          s: { pattern: pubsub, subscribe: { connect: ["\(await publisher.endpoint)"], linger: 1h, topics-limit: 10000, history: { events: 0 } } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let reactor = try Reactor(name: "home")
      let shard = Shard(reactor, .init(), logger: Rig.logger)
      rig.cleanup.add { reactor.shutdown() }
      rig.cleanup.add { await shard.close() }
      try await shard.open(
        configuration, shards: [shard],
        shared: configuration.services.map {
          SharedService(
            $0, memory: MemoryBudget(limit: 1 << 30), transcoding: BackgroundQueue(name: "test"), logger: Rig.logger)
        },
        context: try Context(),
        logger: Rig.logger)
      try await eventually("the publisher is connected") { await shard.isConnected }
      let topics = (0..<20_000).map { Array("\($0 + 10_000)".utf8) }
      let filters = stride(from: 0, to: topics.count, by: 500).map {
        TopicFilter(prefixes: Array(topics[$0..<($0 + 500)]))
      }
      // The first half in one job, then their ends; the second half needs the room of the first, which lingers.
      for half in [filters[..<20], filters[20...]] {
        let before = await shard.open(Array(half))
        let ends = half.startIndex
        for _ in 0..<(10_000 + ends * 500) { _ = try await publisher.receive() }
        #expect(await shard.turns - before >= 10 + ends / 2)
        await shard.close(Array(half))
      }
    }
  }

  /// Waits for all subscriptions, publishes on each topic, and reads all of it.
  private func all(_ topics: [String], arriveAt publisher: WireSocket, and streams: [EventReader]) async throws {
    var subscribed: Set<String> = []
    while subscribed.count < topics.count {
      let subscription = try await publisher.subscription()
      // The other one is for the history.
      if subscription != "+" { subscribed.insert(subscription) }
    }
    #expect(subscribed == Set(topics.map { "+\($0)" }))
    let share = topics.count / streams.count
    // One of each stream at a time, so that no queue on the way is full.
    for round in stride(from: 0, to: share, by: 25) {
      for (index, stream) in streams.enumerated() {
        let some = topics[(index * share + round)..<(index * share + round + 25)]
        for topic in some { try await publisher.publish(topic, "m") }
        for topic in some { #expect(try await stream.event(named: "")?.json["topic"].text == topic) }
      }
    }
  }
}

extension Shard {
  fileprivate var isConnected: Bool { hub("s")?.isConnected == true }
  fileprivate var turns: UInt64 { reactor.loop.turns }

  /// Asks the hub in one go to open a stream for each filter. Returns how often the loop had turned by then.
  fileprivate func open(_ filters: [TopicFilter]) -> UInt64 {
    guard let service = upstreams.services.first?.shared else { return 0 }
    for filter in filters { ask(service, .open(filter, .latest, ticket: 0), from: self) }
    return reactor.loop.turns
  }

  /// Tells the hub in one go that those streams have closed.
  fileprivate func close(_ filters: [TopicFilter]) {
    guard let service = upstreams.services.first?.shared else { return }
    for filter in filters { ask(service, .closed(filter), from: self) }
  }
}
