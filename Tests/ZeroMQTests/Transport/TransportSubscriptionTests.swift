import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a transport's subscriptions", .inTurn(minutes: 3))
struct TransportSubscriptionTests {
  /// A subscriber, and a publisher that is told each subscription.
  private static func pair(_ peers: Peers) async throws -> (Peer, Peer) {
    try await peers.pair(.xPublish, .subscribe, options: { $0.set(.verboser, to: true) }, only: .xPublish)
  }

  @Test(
    "CORE-48: what begins with a prefix comes; the empty prefix is everything; several are or-ed",
    arguments: [
      ([""], ["a", "ab", "b", ""]), (["a"], ["a", "ab"]), (["ab", "b"], ["ab", "b"]), (["c"], []),
      (["a", "ab"], ["a", "ab"]),
    ])
  func prefixes(filters: [String], expected: [String]) async throws {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await Self.pair(peers)
      for filter in filters + ["end"] { try await subscriber.transport.subscribe(Array(filter.utf8)) }
      _ = try await publisher.has(filters.count + 1)
      for topic in ["a", "ab", "b", "", "end"] { await publisher.transport.write(Message(topic)) }
      let texts = try await eventually("the last") {
        let texts = subscriber.notes.messages.map { String(decoding: $0[0], as: UTF8.self) }
        return texts.last == "end" ? texts : nil
      }
      #expect(texts.dropLast() == expected[...])
    }
  }

  @Test("CORE-49, CORE-52: to subscribe twice is to subscribe once, and one unsubscribe ends it") func twice()
    async throws
  {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await Self.pair(peers)
      try await subscriber.transport.subscribe([97])
      try await subscriber.transport.subscribe([97])
      try await subscriber.transport.subscribe([98])
      #expect(await subscriber.transport.subscriptions == [[97], [98]])
      try await subscriber.transport.unsubscribe([97])
      #expect(await subscriber.transport.subscriptions == [[98]])
      #expect(try await publisher.has(3) == [[[1, 97]], [[1, 98]], [[0, 97]]])
      for topic in ["a", "b"] { await publisher.transport.write(Message(topic)) }
      #expect(try await subscriber.has(1) == [[[98]]])
    }
  }

  @Test("CORE-50: to unsubscribe from what was not subscribed to does nothing") func unknown() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.subscribe)
      try await peer.transport.unsubscribe([1])
      #expect(await peer.transport.subscriptions.isEmpty)
    }
  }

  @Test("CORE-51: another kind cannot subscribe", arguments: [SocketKind.dealer, .publish, .xSubscribe, .xPublish])
  func otherKinds(kind: SocketKind) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(kind)
      for call in [{ try await peer.transport.subscribe([]) }, { try await peer.transport.unsubscribe([]) }] {
        let error = await #expect(throws: ZMQError.self) { try await call() }
        #expect(error?.code == .notSupported)
      }
      #expect(await peer.transport.subscriptions.isEmpty)
    }
  }

  @Test("CORE-32: the options SUBSCRIBE and UNSUBSCRIBE, by name or number, keep the list right") func options()
    async throws
  {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await Self.pair(peers)
      try await subscriber.transport.set(.subscribe, to: [97])
      try await subscriber.transport.subscribe([97])
      try await subscriber.transport.set(.bytes(6), to: [98])
      try await subscriber.transport.set(.unsubscribe, to: [97])
      try await subscriber.transport.set(.bytes(7), to: [98])
      try await subscriber.transport.subscribe([99])
      #expect(await subscriber.transport.subscriptions == [[99]])
      #expect(try await publisher.has(5) == [[[1, 97]], [[1, 98]], [[0, 97]], [[0, 98]], [[1, 99]]])
    }
  }

  @Test("CORE-32: subscriptions among the options count as well, each once") func optionsAtFirst() async throws {
    try await Peers.with { peers in
      let publisher = try await peers.peer(.xPublish, bind: [Peers.any], options: { $0.set(.verboser, to: true) })
      let subscriber = try await peers.peer(
        .subscribe, connect: publisher.boundTo,
        options: { options in
          for prefix: [UInt8] in [[97], [97], [98], [99]] { options.set(.subscribe, to: prefix) }
          options.set(.unsubscribe, to: [99])
        })
      #expect(await subscriber.transport.subscriptions == [[97], [98]])
      try await subscriber.transport.unsubscribe([97])
      #expect(await subscriber.transport.subscriptions == [[98]])
      try await subscriber.transport.subscribe([100])
      let told = try await eventually("the last") {
        let told = publisher.notes.messages
        return told.last == [[1, 100]] ? told : nil
      }
      #expect(Set(told.filter { $0[0][0] == 1 }) == [[[1, 97]], [[1, 98]], [[1, 100]]])
      #expect(told.contains([[0, 97]]))
    }
  }

  @Test("CORE-32: so do their bounds", arguments: [245, 246]) func optionsLength(count: Int) async throws {
    try await Peers.with { peers in
      let prefix = [UInt8](repeating: 65, count: count)
      let options: (inout SocketOptions) -> Void = { $0.set(.subscribe, to: prefix) }
      let byNumber: (inout SocketOptions) -> Void = { $0.set(.bytes(6), to: prefix) }
      for options in [options, byNumber] {
        let error = await failure { try await peers.peer(.subscribe, options: options) }
        #expect(error?.code == (count == 245 ? nil : .invalid))
        var made = SocketOptions()
        options(&made)
        #expect((try? Socket(.subscribe, in: peers.context, options: made)) == nil ? count == 246 : count == 245)
      }
      #expect(await failure { try await peers.peer(.dealer, options: options) }?.code == .notSupported)
    }
  }

  @Test("a prefix is at most 245 bytes, which libzmq carries safely", arguments: [245, 246]) func length(count: Int)
    async throws
  {
    try await Peers.with { peers in
      let (publisher, subscriber) = try await Self.pair(peers)
      let prefix = [UInt8](repeating: 65, count: count)
      if count == 245 {
        try await subscriber.transport.subscribe(prefix)
        #expect(try await publisher.has(1) == [[[1] + prefix]])
      } else {
        await #expect(throws: ZMQError.self) { try await subscriber.transport.subscribe(prefix) }
        #expect(await subscriber.transport.subscriptions.isEmpty)
      }
    }
  }
}
