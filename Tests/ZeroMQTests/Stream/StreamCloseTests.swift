import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the end of a stream", .inTurn(minutes: 3))
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

  @Test("STREAM-11: what a send has returned for is sent, also while the stream is closed; who is late is told")
  func sendWhileClosed() async throws {
    try await Peers.with { peers in
      for _ in 0..<5 {
        let reports = Guarded(0)
        let pull = try await peers.stream(.pull, bind: [Peers.any])
        let push = try await MessageStream.open(
          .push, connect: pull.boundTo, on: peers.reactor, in: peers.context,
          reporting: { _ in reports.withLock { $0 += 1 } })
        let came = Guarded(0)
        let reader = Task { for try await batch in pull.batches { came.withLock { $0 += batch.count } } }
        let writers = (0..<4).map { _ in
          Task {
            for sent in 0... { if await failure({ try await push.send(["a"]) }) != nil { return sent } }
            return 0
          }
        }
        try await eventually("some") { came.withLock { $0 > 100 } }
        await push.close()
        var sent = 0
        for writer in writers { sent += await writer.value }
        try await eventually("all") { came.withLock { $0 >= sent } }
        #expect(reports.withLock { $0 } == 0)
        await pull.close()
        try await reader.value
      }
    }
  }

  @Test("CORE-28: writes after the close are ignored, and reported from the fifth on, also of a stream")
  func writtenLate() async throws {
    try await Peers.with { peers in
      let reports = Guarded<[String]>([])
      let push = try await MessageStream.open(
        .push, bind: [Peers.any], on: peers.reactor, in: peers.context,
        reporting: { report in reports.withLock { $0.append("\(report)") } })
      await push.close()
      for _ in 0..<6 { push.write(["late"]) }
      try await eventually("the reports") { reports.withLock { $0.count == 2 } }
      #expect(reports.withLock { $0.last?.contains("6 times") } == true)
    }
  }

  @Test("what waits is dropped with a stream that is dropped, in libzmq too: its context ends at once")
  func droppedWithMessages() async throws {
    let (reactor, context) = (try Reactor(name: "dropped"), try Context())
    do {
      let push = try await MessageStream.open(.push, connect: ["tcp://127.0.0.1:9"], on: reactor, in: context)
      for number in 0..<10 { push.write(Message(number: number)) }
      await push.settled()
    }
    // It closes in a turn of its reactor. A context that began to end before that would wait for what it has still to send.
    await withCheckedContinuation { turn in reactor.submit { turn.resume() } }
    #expect(await context.close(within: .seconds(10)))
    await reactor.stop()
  }

  @Test(
    "a subscriber whose publisher was never there holds no context up when it has closed",
    arguments: [SocketKind.subscribe, .xSubscribe])
  func subscribers(kind: SocketKind) async throws {
    let (reactor, context) = (try Reactor(name: "subscribers"), try Context())
    let it = try await MessageStream.open(kind, connect: ["tcp://127.0.0.1:9"], on: reactor, in: context)
    if kind == .subscribe { try await it.transport.subscribe([65]) } else { try await it.send([[1, 65]]) }
    #expect(try await it.transport.option(.linger) == .zero)
    await it.close()
    #expect(await context.close(within: .seconds(10)))
    let other = try Context()
    let patient = try await MessageStream.open(kind, on: reactor, in: other) { $0.linger = .seconds(1) }
    #expect(try await patient.transport.option(.linger) == .seconds(1))
    await patient.close()
    await reactor.stop()
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
