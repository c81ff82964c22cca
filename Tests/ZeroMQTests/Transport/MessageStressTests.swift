import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a flood of messages", .timeLimit(Soak.limit))
struct MessageStressTests {
  enum Flow: CaseIterable { case pushPull, dealerRouter, publishSubscribe }
  enum Strain: CaseIterable { case none, signals, throwing }

  @Test(
    "GEN-9, PROTO-6: each arrives once, in order, under a storm of signals and with delegates that throw as well",
    arguments: Flow.allCases, Strain.allCases)
  func order(flow: Flow, strain: Strain) async throws {
    let count = 100_000 * Soak.factor
    let names = ["flood-1", "flood-2"]
    let reactors = (try await SignalStorm.reactor(names[0]), try await SignalStorm.reactor(names[1]))
    let (context, reports) = (try Context(), Guarded(0))
    let (order, replies) = (
      Numbers.Order(throwing: strain == .throwing, echoes: flow == .dealerRouter),
      Numbers.Order(throwing: strain == .throwing)
    )
    let storm: SignalStorm? = if strain == .signals { try await SignalStorm(on: names) } else { nil }
    let (kind, other): (SocketKind, SocketKind) =
      switch flow {
      case .pushPull: (.push, .pull)
      case .dealerRouter: (.dealer, .router)
      case .publishSubscribe: (.publish, .subscribe)
      }
    @Sendable func report(_ report: TransportReport) { reports.withLock { $0 += 1 } }
    let sink = try await Transport.open(
      other, bind: [Peers.any], on: reactors.0, in: context,
      options: { if flow == .publishSubscribe { $0.receiveHighWaterMark = 0 } }, reporting: report
    ) { order }
    let source = try await Transport.open(
      kind, connect: sink.bindings, on: reactors.1, in: context,
      options: { options in
        options.watchesSubscribers = flow == .publishSubscribe
        if flow == .publishSubscribe { options.sendHighWaterMark = 0 }
      }, reporting: report
    ) { Numbers.Source(count, replies: replies) }
    if flow == .publishSubscribe {
      try await sink.subscribe([])
      try await source.waitForSubscriber(of: [], within: .seconds(30))
    }
    await source.writeNumbers()
    let whole = Numbers.Order.Seen(received: count, next: count)
    let last = flow == .dealerRouter ? replies : order
    try await eventually("all of them", within: .seconds(120 * Soak.factor)) { last.seen.next >= count }
    #expect(order.seen == whole)
    #expect(replies.seen == (flow == .dealerRouter ? whole : .init()))
    let thrown = strain == .throwing ? (flow == .dealerRouter ? 2 * count : count) : 0
    if let storm { #expect(try await storm.end() > 100) }
    for transport in [source, sink] {
      await transport.close()
      await transport.waitClosed()
    }
    // The last is told of after its message has been seen.
    #expect(reports.withLock { $0 } == thrown)
    #expect(await context.close(within: .seconds(10)))
    for reactor in [reactors.0, reactors.1] { await reactor.stop() }
  }

  @Test("a subscriber that is full misses messages: those that came and the gaps between them make what was sent")
  func gaps() async throws {
    try await Peers.with { peers in
      let count = 100_000 * Soak.factor
      let (reactor, order) = (try Reactor(), Numbers.Order())
      let publisher = try await Transport.open(
        .publish, bind: [Peers.any], on: peers.reactor, in: peers.context,
        options: { ($0.sendHighWaterMark, $0.watchesSubscribers) = (100, true) }
      ) { Numbers.Source(count) }
      let subscriber = try await Transport.open(
        .subscribe, connect: publisher.bindings, on: reactor, in: peers.context,
        options: { $0.receiveHighWaterMark = 100 }
      ) { order }
      try await subscriber.subscribe([])
      try await publisher.waitForSubscriber(of: [], within: .seconds(30))
      await publisher.writeNumbers()
      // When there is room again, the end arrives too.
      try await eventually("the end") {
        await publisher.write(Numbers.end)
        return order.seen.isOver
      }
      let seen = order.seen
      let gaps = seen.missed + count - seen.next
      #expect(seen.faults == 0)
      #expect(seen.received + gaps == count)
      #expect(seen.received >= 100)
      #expect(gaps > 0, "it was full at times")
      for transport in [publisher, subscriber] {
        await transport.abort()
        await transport.waitClosed()
      }
      await reactor.stop()
    }
  }
}
