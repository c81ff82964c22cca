import Support
import Testing
import ZeroMQ

@testable import ZeroMQRPC

@Suite("the subscriber", .inTurn(minutes: 3))
struct SubscriberTests {
  /// A publisher that is told the subscriptions: `ZMQ_XPUB`.
  private static let xpub = SocketKind(rawValue: 9)

  private func publisher(_ endpoint: String, _ cleanup: Cleanup, _ kind: SocketKind = xpub) async throws -> WireSocket {
    let publisher = try await WireSocket(kind, bind: endpoint)
    cleanup.add { await publisher.close() }
    return publisher
  }

  /// The next so many subscriptions a publisher is told.
  private func subscriptions(_ publisher: WireSocket, _ count: Int) async throws -> Set<String> {
    var topics: Set<String> = []
    for _ in 0..<count {
      let message = try await publisher.receive()[0]
      #expect(message.first == 1)
      topics.insert(String(decoding: message.dropFirst(), as: UTF8.self))
    }
    return topics
  }

  @Test("10,000 topics are all subscribed to, at once and again after the publisher has restarted")
  func manyTopics() async throws {
    try await OneWayBench.with { bench, cleanup in
      let directory = try TemporaryDirectory()
      let topics = (0..<10_000).map { "topic-\($0)" }
      let first = try await publisher(directory.endpoint("bus"), cleanup)
      try await bench.subscribe(connect: [directory.endpoint("bus")])
      try await eventually("it is connected") { await bench.isSubscriberConnected }
      try await bench.subscribe(to: topics)
      #expect(try await subscriptions(first, topics.count) == Set(topics))
      await first.close()
      let second = try await publisher(directory.endpoint("bus"), cleanup)
      #expect(try await subscriptions(second, topics.count) == Set(topics))
      try await second.send([Array("topic-9999".utf8), [0x6D], [0x90], [0x80]])
      try await eventually("an event comes") { await bench.heard == [Array("topic-9999".utf8)] }
    }
  }

  @Test("topics subscribed to before a publisher is there are told it when it comes")
  func early() async throws {
    try await OneWayBench.with { bench, cleanup in
      let directory = try TemporaryDirectory()
      let topics = (0..<10_000).map { "topic-\($0)" }
      try await bench.subscribe(connect: [directory.endpoint("bus")])
      try await bench.subscribe(to: topics)
      let publisher = try await publisher(directory.endpoint("bus"), cleanup)
      #expect(try await subscriptions(publisher, topics.count) == Set(topics))
    }
  }

  @Test("each change is told: how many publishers are connected, and of how many")
  func upstream() async throws {
    try await OneWayBench.with { bench, cleanup in
      let directory = try TemporaryDirectory()
      let endpoints = ["a", "b"].map { directory.endpoint($0) }
      let a = try await publisher(endpoints[0], cleanup, .publish)
      _ = try await publisher(endpoints[1], cleanup, .publish)
      try await bench.subscribe(connect: endpoints)
      try await eventually("both are there") { await bench.told == [[1, 2], [2, 2]] }
      #expect(await bench.isSubscriberConnected)
      await a.close()
      try await eventually("one is gone") { await bench.told == [[1, 2], [2, 2], [1, 2]] }
      #expect(await !bench.isSubscriberConnected)
      _ = try await publisher(endpoints[0], cleanup, .publish)
      try await eventually("it is back") { await bench.told == [[1, 2], [2, 2], [1, 2], [2, 2]] }
    }
  }

  @Test(
    "what has not the four frames of a published call, or a longer one than the limit, is counted and told by its topic"
  )
  func malformed() async throws {
    try await OneWayBench.with { bench, cleanup in
      let publisher = try await publisher("ipc://*", cleanup)
      try await bench.subscribe(connect: [await publisher.endpoint])
      try await bench.subscribe(to: [""])
      _ = try await publisher.receive()
      try await publisher.send([[0x73], [0x6D], [0x90]])
      try await publisher.send([[0x75], [0x6D], .init(repeating: 0x90, count: (1 << 20) + 1), [0x80]])
      try await publisher.send([[0x74], [0x6D], [0x90], [0x80]])
      try await eventually("the call is heard") { await bench.heard == [[0x74]] }
      #expect(await bench.malformedMessages == 2)
      #expect(await bench.dropped == [[0x73], [0x75]])
    }
  }

  @Test("a prefix of 245 bytes is subscribed to, a longer one is thrown back", arguments: [245, 246])
  func longPrefix(count: Int) async throws {
    try await OneWayBench.with { bench, cleanup in
      let publisher = try await publisher("ipc://*", cleanup)
      try await bench.subscribe(connect: [await publisher.endpoint])
      let topic = String(repeating: "t", count: count)
      if count > 245 {
        await #expect(throws: ZMQError.self) { try await bench.subscribe(to: [topic]) }
      } else {
        try await bench.subscribe(to: [topic])
        #expect(try await subscriptions(publisher, 1) == [topic])
      }
    }
  }

  @Test("when its context ends it is not connected, and its publishers are told as gone")
  func terminated() async throws {
    try await OneWayBench.with { bench, cleanup in
      let publisher = try await publisher("ipc://*", cleanup)
      try await bench.subscribe(bind: ["ipc://*"], connect: [await publisher.endpoint])
      try await eventually("it is connected") { await bench.told == [[1, 1]] }
      await bench.context.close(within: .seconds(10))
      try await eventually("it is told") { await bench.told == [[1, 1], [0, 1]] }
      #expect(await !bench.isSubscriberConnected)
    }
  }

  @Test("which of two bound addresses a publisher has come to is known, though both have one port")
  func bound() async throws {
    try await OneWayBench.with { bench, cleanup in
      // A port that was free a moment ago, and most likely is at other addresses.
      let port = try #require(try await publisher("tcp://127.0.0.3:*", cleanup).endpoint.split(separator: ":").last)
      let endpoints = ["tcp://127.0.0.1:\(port)", "tcp://127.0.0.2:\(port)"]
      try await bench.subscribe(bind: endpoints)
      func dial(_ endpoint: String) async throws -> WireSocket {
        let socket = try await WireSocket(.publish, connect: endpoint)
        cleanup.add { await socket.close() }
        return socket
      }
      let second = try await dial(endpoints[1])
      try await eventually("it has come") { await bench.told == [[1, 2]] }
      let first = try await dial(endpoints[0])
      try await eventually("both have come") { await bench.told.last == [2, 2] }
      #expect(await bench.isSubscriberConnected)
      await second.close()
      try await eventually("one is gone") { await bench.told.last == [1, 2] }
      await first.close()
      try await eventually("both are gone") { await bench.told.last == [0, 2] }
    }
  }

  @Test("closing closes the socket: its port is free", arguments: [false, true])
  func close(isDropped: Bool) async throws {
    try await OneWayBench.with { bench, cleanup in
      try await bench.subscribe(bind: ["tcp://127.0.0.1:*"])
      let endpoint = await bench.subscriberBindings[0]
      if isDropped { await bench.dropSubscriber() } else { await bench.closeSubscriber() }
      try await expectFree(endpoint, cleanup)
    }
  }
}
