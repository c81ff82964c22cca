import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the end of a stream", .timeLimit(.minutes(1)))
struct StreamCloseTests {
  @Test(
    "STREAM-5: a read on a closed stream throws, and so does one that waits when it is closed",
    arguments: [true, false])
  func read(aborts: Bool) async throws {
    try await Peers.with { peers in
      let pull = try await peers.stream(.pull, bind: [Peers.any])
      let reader = Task { try await pull.read() }
      try await eventually("a reader") { pull.isAwaited }
      if aborts { await pull.abort() } else { await pull.close() }
      let error = await failure { try await reader.value }
      #expect(error?.code == .notSocket)
      #expect(error?.description.contains("read on a closed stream") == true)
      #expect(await failure { try await pull.read() } == error)
      #expect(pull.exception == nil)
    }
  }

  @Test("STREAM-12, STREAM-16: what had come before the close is read after it, and then it is at its end")
  func buffered() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      for number in 0..<3 { push.write(Message(number: number)) }
      try await eventually("the messages") { pull.readBufferSize == 3 }
      #expect(!pull.atClosing)
      await pull.close()
      for number in 0..<3 {
        #expect(!pull.atClosing)
        #expect(try await pull.read().number == number)
      }
      #expect(pull.atClosing)
      await #expect(throws: ZMQError.self) { try await pull.read() }
      // An empty one is at its end at once.
      await push.close()
      #expect(push.atClosing)
    }
  }

  @Test("STREAM-13, STREAM-16: what had come before an error is read first") func bufferedBeforeError() async throws {
    try await Peers.with { peers in
      let subscribe = try await peers.stream(.subscribe)
      let publish = try await peers.stream(.publish, bind: [Peers.any]) { $0.watchesSubscribers = true }
      try await subscribe.transport.connect(publish.boundTo[0])
      try await subscribe.transport.subscribe([])
      try await publish.transport.waitForSubscriber(of: "".utf8)
      publish.write(["news"])
      try await eventually("the message") { subscribe.readBufferSize == 4 }
      subscribe.write(["a SUB cannot send"])
      try await eventually("the error") { subscribe.exception?.code == .notSupported }
      #expect(!subscribe.atClosing)
      #expect(try await subscribe.read() == ["news"])
      #expect(subscribe.atClosing)
      #expect(await failure { try await subscribe.read() }?.code == .notSupported)
    }
  }

  @Test("STREAM-11: close sends what waits, closes the socket, and the peer sees it go", arguments: [1, 500])
  func close(count: Int) async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any])
      let endpoints = await push.boundTo
      for number in 0..<count { push.write(Message(number: number)) }
      let closer = Task { await push.close() }
      let pull = try await peers.stream(.pull)
      let events = try await pull.transport.monitor()
      try await pull.transport.connect(endpoints[0])
      for number in 0..<count { #expect(try await pull.read().number == number) }
      await closer.value
      for await event in events { if case .disconnected = event.kind { break } }
      // The address is free.
      _ = try await eventually("the port") { try? await peers.stream(.pull, bind: endpoints) }
      await push.close()
      await push.abort()
    }
  }

  @Test("STREAM-11: abort drops what waits") func abort() async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any])
      let endpoints = await push.boundTo
      for number in 0..<10 { push.write(Message(number: number)) }
      await push.abort()
      let (pull, other) = (try await peers.stream(.pull, connect: endpoints), try await peers.stream(.push))
      _ = try await eventually("the port") { try? await other.transport.bind(endpoints[0]) }
      try await other.send(["the first"])
      #expect(try await pull.read() == ["the first"])
    }
  }

  @Test("STREAM-11: one that is dropped without close closes within a turn", arguments: [false, true])
  func dropped(isRead: Bool) async throws {
    try await Peers.with { peers in
      var pull: MessageStream? = try await MessageStream.open(
        .pull, bind: [Peers.any], on: peers.reactor, in: peers.context)
      let endpoint = try #require(await pull?.boundTo.first)
      if isRead {
        let reader = Task { [pull] in try await pull?.read() }
        try await eventually("a reader") { pull?.isAwaited == true }
        reader.cancel()
        _ = await reader.result
      }
      pull = nil
      // Jobs of the reactor run in the order they come: the socket is gone before a new one is bound.
      _ = try await eventually("the port") { try? await peers.stream(.pull, bind: [endpoint]) }
    }
  }

  @Test("a context that is ended ends its streams, and says so to those who wait") func terminated() async throws {
    let (reactor, context) = (try Reactor(name: "ended"), try Context())
    let pull = try await MessageStream.open(.pull, bind: [Peers.any], on: reactor, in: context, reporting: { _ in })
    let reader = Task { try await pull.read() }
    try await eventually("a reader") { pull.isAwaited }
    await context.close(within: .seconds(10))
    #expect(await failure { try await reader.value }?.code == .terminated)
    #expect(await failure { try await pull.drain() }?.code == .terminated)
    await reactor.stop()
  }

  @Test("many tasks open, use and close streams at one time") func manyTasks() async throws {
    try await Peers.with { peers in
      try await withThrowingTaskGroup { group in
        for _ in 0..<8 {
          group.addTask {
            for round in 0..<10 {
              let (router, dealer) = try await peers.streams(.router, .dealer)
              try await dealer.send(["ask", Frame("\(round)")])
              let question = try await router.read()
              try await router.send(question)
              #expect(try await dealer.read() == ["ask", Frame("\(round)")])
              await dealer.close()
              await router.close()
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
