import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("subscriptions of a publisher's peers")
struct PeerSubscriptionsTests {
  private func take(_ bytes: [UInt8], _ subscriptions: inout PeerSubscriptions, tellsEachEnd: Bool = false) -> [UInt8]?
  {
    bytes.withUnsafeBytes { subscriptions.take($0, tellsEachEnd: tellsEachEnd) }
  }

  @Test("a topic matches its prefixes, itself and the empty one; what has ended matches no more") func matches() {
    var subscriptions = PeerSubscriptions()
    #expect(!subscriptions.match([]))
    #expect(take([1, 5, 6], &subscriptions) == [5, 6])
    #expect(take([1, 5, 6], &subscriptions) == nil)
    for topic in [[5, 6], [5, 6, 7]] as [[UInt8]] { #expect(subscriptions.match(topic)) }
    for topic in [[], [5], [5, 7, 6], [6]] as [[UInt8]] { #expect(!subscriptions.match(topic)) }
    // Many, so that it is looked for in the other way.
    for number in UInt8(100)...200 { #expect(take([1, number], &subscriptions) == [number]) }
    #expect(subscriptions.match([5, 6, 7]))
    #expect(!subscriptions.match([5, 7]))
    #expect(take([0, 5, 6], &subscriptions) == nil)
    #expect(!subscriptions.match([5, 6]))
    #expect(take([0, 5, 6], &subscriptions) == nil)
    #expect(take([1], &subscriptions) == [])
    #expect(subscriptions.match([]))
    #expect(subscriptions.match([7]))
  }

  @Test(
    "where each end is told, a prefix matches until all have ended; else until the one that is told",
    arguments: [true, false])
  func ends(tellsEachEnd: Bool) {
    var subscriptions = PeerSubscriptions()
    #expect(take([1, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == [5])
    #expect(take([1, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == nil)
    #expect(take([0, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == nil)
    #expect(subscriptions.match([5]) == tellsEachEnd)
    #expect(take([0, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == nil)
    #expect(!subscriptions.match([5]))
    #expect(take([0, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == nil)
    // Then it is a new one again.
    #expect(take([1, 5], &subscriptions, tellsEachEnd: tellsEachEnd) == [5])
  }

  @Test("what is no subscription changes nothing") func others() {
    var subscriptions = PeerSubscriptions()
    for bytes in [[], [2], [7, 1], [0]] as [[UInt8]] { #expect(take(bytes, &subscriptions) == nil) }
    #expect(!subscriptions.match([1]))
  }

  @Test("what goes beyond the bound is not remembered, until there is room again") func bounded() {
    var subscriptions = PeerSubscriptions()
    let long = [UInt8](repeating: 9, count: PeerSubscriptions.limit - 64 - 65)
    #expect(take([1] + long, &subscriptions) == long)
    #expect(take([1, 7], &subscriptions) == [7])
    #expect(take([1, 8], &subscriptions) == nil)
    #expect(!subscriptions.match([8]))
    #expect(take([0, 7], &subscriptions) == nil)
    #expect(take([1, 8], &subscriptions) == [8])
  }
}

@Suite("waiting for a subscriber", .inTurn(minutes: 3))
struct SubscribersTests {
  private static func watched() -> SocketOptions {
    var options = SocketOptions()
    options.watchesSubscribers = true
    return options
  }

  @Test("a PUB that is watched, and an XPUB, know who has subscribed, and publish as ever", arguments: [true, false])
  func knows(isXPublish: Bool) async throws {
    try await Stations.with { stations in
      let publisher = try await stations.open(isXPublish ? .xPublish : .publish, Self.watched())
      let endpoint = try await publisher.bind("tcp://127.0.0.1:*")
      let waiter = try #require(try await publisher.wait(for: [5, 6, 7]))
      let subscriber = try await stations.open(.subscribe)
      try await subscriber.connect(endpoint)
      try await subscriber.subscribe([5, 7])
      try await subscriber.subscribe([5, 6])
      #expect(await waiter.wait() == .subscribed)
      #expect(try await publisher.send([[5, 6, 7], [1]]))
      #expect(try await subscriber.has(1) == [[[5, 6, 7], [1]]])
      // One that has subscribed before is known at once.
      let second = try #require(try await publisher.wait(for: [5, 7]))
      #expect(await second.wait() == .subscribed)
      let third = try #require(try await publisher.wait(for: [6]))
      #expect(!third.isAnswered)
      // What is published to an XPUB's user are its peers' subscriptions; to a PUB's nobody.
      #expect(publisher.messages.withLock { $0.count } == (isXPublish ? 2 : 0))
      try await subscriber.unsubscribe([5, 6])
      try await eventually("it has unsubscribed") {
        let again = try #require(try await publisher.wait(for: [5, 6]))
        return !again.isAnswered
      }
      await publisher.close()
      #expect(await third.wait() == .closed)
      #expect(publisher.errors.withLock { $0.isEmpty })
    }
  }

  @Test(
    "of two subscribers to one topic, one that goes leaves the other, also where an XPUB tells of each",
    arguments: [nil, SocketOption<Bool>.verbose, .verboser] as [SocketOption<Bool>?])
  func verbose(option: SocketOption<Bool>?) async throws {
    try await Stations.with { stations in
      var options = SocketOptions()
      if let option { options.set(option, to: true) }
      let publisher = try await stations.open(.xPublish, options)
      let endpoint = try await publisher.bind("tcp://127.0.0.1:*")
      let subscribers = [try await stations.open(.subscribe), try await stations.open(.subscribe)]
      for (number, subscriber) in subscribers.enumerated() {
        try await subscriber.connect(endpoint)
        try await subscriber.subscribe([5])
        // That of its own, so that what was before it has come too.
        try await subscriber.subscribe([9, UInt8(number)])
        #expect(await (try #require(try await publisher.wait(for: [9, UInt8(number)]))).wait() == .subscribed)
      }
      for (number, subscriber) in subscribers.enumerated() {
        try await subscriber.unsubscribe([5])
        try await subscriber.subscribe([7, UInt8(number)])
        #expect(await (try #require(try await publisher.wait(for: [7, UInt8(number)]))).wait() == .subscribed)
        let waiter = try #require(try await publisher.wait(for: [5]))
        #expect(waiter.isAnswered == (number == 0))
      }
    }
  }

  @Test("a PUB is not watched unless it is asked for; other kinds are not either") func unwatched() async throws {
    try await Stations.with { stations in
      for (kind, options) in [(SocketKind.publish, SocketOptions()), (.push, .init()), (.push, Self.watched())] {
        let waiter = try await stations.open(kind, options).wait(for: [1])
        #expect(waiter == nil)
      }
    }
  }

  @Test("a watched PUB takes subscriptions while nobody waits, so that they do not pile up, and rests afterwards")
  func rests() async throws {
    try await Stations.with { stations in
      let publisher = try await stations.open(.publish, Self.watched())
      let endpoint = try await publisher.bind("tcp://127.0.0.1:*")
      let subscriber = try await stations.open(.subscribe)
      try await subscriber.connect(endpoint)
      for number in 0..<2_000 { try await subscriber.subscribe([1, UInt8(number / 256), UInt8(number % 256)]) }
      try await subscriber.subscribe([2])
      let waiter = try #require(try await publisher.wait(for: [2]))
      #expect(await waiter.wait() == .subscribed)
      #expect(await publisher.rests())
    }
  }
}
