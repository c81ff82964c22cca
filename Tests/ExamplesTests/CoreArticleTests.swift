import Reactor
import Support
import Testing
import ZeroMQ

/// What the articles about `ZeroMQ` show, beside what stands in `Examples`.
@Suite("What the articles about the core show", .inTurn(minutes: 3))
struct CoreArticleTests {
  private final class Echo: TransportDelegate {
    func messageReceived(_ message: Message, on transport: isolated Transport) { transport.write(message) }
  }

  private final class Counter: TransportDelegate {
    private(set) var count = 0
    func messageReceived(_ message: Message, on transport: isolated Transport) { count += 1 }
  }

  private actor Ledger {
    nonisolated let unownedExecutor: UnownedSerialExecutor
    private(set) var bytes = 0

    init(on reactor: Reactor) { unownedExecutor = reactor.asUnownedSerialExecutor() }

    func add(_ message: Message) { bytes += message.byteCount }
  }

  private final class Booking: TransportDelegate {
    let ledger: Ledger

    init(_ ledger: Ledger) { self.ledger = ledger }

    func messageReceived(_ message: Message, on transport: isolated Transport) {
      ledger.assumeIsolated { $0.add(message) }
    }
  }

  @Test("a publisher waits for its subscriber") func publishing() async throws {
    let publisher = try await MessageStream.open(.publish, bind: ["tcp://127.0.0.1:*"]) { $0.watchesSubscribers = true }
    let subscriber = try await MessageStream.open(.subscribe, connect: await publisher.transport.bindings)
    try await subscriber.transport.subscribe(Array("news.".utf8))
    try await publisher.transport.waitForSubscriber(of: "news.eu".utf8)
    try await publisher.send(["news.eu", "it rains"])
    #expect(try await subscriber.read() == ["news.eu", "it rains"])
    await publisher.close()
    await subscriber.close()
  }

  @Test("a reactor of one's own is stopped when its sockets are closed") func ownReactor() async throws {
    let reactor = try Reactor(name: "orders")
    let router = try await Transport.open(.router, bind: ["tcp://127.0.0.1:*"], on: reactor) { Echo() }
    await router.close()
    await router.waitClosed()
    await reactor.stop()
    #expect(await !router.isOpen)
  }

  @Test("a task asks a delegate, and a delegate calls an actor beside it") func isolation() async throws {
    let ledger = Ledger(on: .shared)
    let counted = try await Transport.open(.pull, bind: ["tcp://127.0.0.1:*"]) { Counter() }
    let booked = try await Transport.open(.pull, bind: ["tcp://127.0.0.1:*"]) { Booking(ledger) }
    for pull in [counted, booked] {
      let push = try await MessageStream.open(.push, connect: await pull.bindings)
      try await push.send(["ten bytes!"])
      await push.close()
    }
    try await eventually("both have come") {
      let pull = counted
      let count = await pull.withDelegate { delegate, _ in (delegate as? Counter)?.count }
      return await ledger.bytes == 10 && count == 1
    }
    for pull in [counted, booked] { await pull.close() }
  }

  @Test("marks are arguments and options; a context of one's own is waited for") func marks() async throws {
    let pull = try await MessageStream.open(.pull, bind: ["tcp://127.0.0.1:*"])
    let endpoints = await pull.transport.bindings
    do {
      let push = try await MessageStream.open(.push, connect: endpoints, highWrite: 1 << 20) {
        $0.sendHighWaterMark = 100
        $0.linger = .seconds(5)
      }
      #expect(await push.transport.writeBufferLimits == (1 << 18, 1 << 20))
      await push.close()
    }
    let context = try Context()
    let push = try await MessageStream.open(.push, connect: endpoints, in: context)
    try await push.send(["the last one"])
    await push.close()
    let hasLeft = await context.close(within: .seconds(5))
    #expect(hasLeft)
    #expect(try await pull.read() == ["the last one"])
    await pull.close()
  }
}
