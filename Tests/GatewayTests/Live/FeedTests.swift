import HTTPServer
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@testable import Gateway

/// The feeds of two shards with one hub, driven from within.
@Suite("the feed of a shard", .inTurn(minutes: 3))
struct FeedTests {
  /// Two shards that serve `s`, whose hub is on the first, and a client for each.
  private struct Pair {
    let home: Shard
    let other: Shard
    let clients: [HTTPClient]
  }

  private func with(_ history: String = "", _ body: (Pair) async throws -> Void) async throws {
    try await Rig.with { rig in
      let publisher = try await rig.wire(.subscriptionAwarePublish)
      let yaml = """
        http: { listen: ["127.0.0.1:0"], limits: { inline: 16MiB } }
        services:
          s:
            pattern: pubsub
            subscribe: { connect: ["\(await publisher.endpoint)"], heartbeat: 1h, history: { \(history) } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let shared = configuration.services.map {
        SharedService(
          $0, memory: MemoryBudget(limit: 1 << 30), transcoding: BackgroundQueue(name: "test"), logger: Rig.logger)
      }
      let context = try Context()
      let reactors = [try Reactor(name: "home"), try Reactor(name: "other")]
      let shards = reactors.map { Shard($0, .init(), logger: Rig.logger) }
      rig.cleanup.add { for reactor in reactors { reactor.shutdown() } }
      var clients: [HTTPClient] = []
      for shard in shards {
        rig.cleanup.add { await shard.close() }
        try await shard.open(configuration, shards: shards, shared: shared, context: context, logger: Rig.logger)
        let listener = try Listener.open(configuration.http.listen[0])
        try await shard.listen(
          on: listener, options: configuration.http.limits.server, tls: nil,
          openConnections: OpenConnections(limit: 100, perAddress: 100),
          memory: MemoryBudget(limit: 1 << 30), logger: Rig.logger)
        clients.append(HTTPClient(port: listener.address.port))
      }
      try await eventually("the publisher is connected") { await shards[0].isConnected }
      try await body(Pair(home: shards[0], other: shards[1], clients: clients))
    }
  }

  @Test(
    "a stream that is up to date misses nothing of what comes in one turn, however much that is", arguments: [0, 1],
    [1_024, 1_025, 4_096])
  func burst(shard: Int, count: Int) async throws {
    try await with("events: 20") { pair in
      let stream = try await pair.clients[shard].events("/sub/s?topic=a")
      await pair.home.publish(count, bytes: 100)
      for number in 0..<count { try #require(try await stream.event()?.json["method"] == .string("\(number)")) }
    }
  }

  @Test("a stream that is up to date gets an event that is longer than all that may be kept", arguments: [0, 1])
  func long(shard: Int) async throws {
    try await with("events: 20, bytes: 1KiB") { pair in
      let stream = try await pair.clients[shard].events("/sub/s?topic=a")
      await pair.home.publish(3, bytes: 3 << 20)
      for number in 0..<3 { try #require(try await stream.event()?.json["method"] == .string("\(number)")) }
    }
  }

  @Test("a stream that is not open yet when its shard closes is refused, and so is a question that is not answered")
  func closed() async throws {
    try await with { pair in
      // Without its hub nobody answers.
      await pair.home.close()
      async let reply = pair.clients[1].get("/sub/s?topic=a")
      async let topics = pair.clients[1].get("/sub/s/topics")
      try await eventually("both wait") { await pair.other.waitingRequests == 2 }
      await pair.other.close()
      #expect(try await reply.status == 503)
      #expect(try await reply.json["code"] == "draining")
      #expect(try await topics.json["code"] == "draining")
    }
  }

  @Test("a stream that opens when the feed drains already is ended as well", arguments: [0, 1])
  func drained(shard: Int) async throws {
    try await with { pair in
      await [pair.home, pair.other][shard].drainFeed()
      let stream = try await pair.clients[shard].events("/sub/s?topic=a")
      #expect(try await stream.event()?.name == "bye")
      #expect(try await stream.block() == nil)
    }
  }
}

extension Shard {
  fileprivate var isConnected: Bool { hub("s")?.isConnected == true }

  fileprivate var waitingRequests: Int { feed("s")?.waitingRequests ?? 0 }

  fileprivate func drainFeed() { feed("s")?.drain(within: .seconds(1)) }

  /// Has the hub receive so many calls on `a`, each with a string of so many bytes, in one turn.
  fileprivate func publish(_ count: Int, bytes: Int) {
    for number in 0..<count { hub("s")?.receive("\(number)", bytes: bytes) }
    hub("s")?.publishedAll()
  }
}

extension EventHub {
  /// Has it receive a call on `a` with a string of so many bytes.
  func receive(_ method: String, bytes: Int) {
    let arguments = Value.array([.string(String(repeating: "x", count: bytes))]).packed
    "a".bytes.withUnsafeBytes { topic in
      method.bytes.withUnsafeBytes { method in
        arguments.withUnsafeBytes { arguments in
          [UInt8(0x80)].withUnsafeBytes { keywords in
            published(BorrowedCall(topic: topic, method: method, arguments: arguments, keywords: keywords))
          }
        }
      }
    }
  }
}
