import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("what is written to a stream", .inTurn(minutes: 3))
struct StreamWriteTests {
  private static let ten = Message([[UInt8](repeating: 7, count: 10)])

  @Test("STREAM-8: write sends what it is given, in the order of its task, and never waits") func write() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      let long = [UInt8](repeating: 3, count: 1 << 20)
      // Nothing to send.
      push.write([])
      push.write(Message([[1, 2], [], long]))
      for number in 0..<5_000 { push.write(Message(number: number)) }
      #expect(try await pull.read() == Message([[1, 2], [], long]))
      for number in 0..<5_000 { #expect(try await pull.read().number == number) }
    }
  }

  @Test("who sends messages without bytes is held up as others are") func empty() async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, highWrite: 10)
      for _ in 0..<10 { try await push.send([[]]) }
      let late = Task { try await push.send([[]]) }
      try await eventually("all are written") { await push.transport.buffer.weight == 11 }
      late.cancel()
      #expect(await failure { try await late.value }?.code == .cancelled)
      let pull = try await peers.stream(.pull, bind: [Peers.any])
      try await push.transport.connect(pull.boundTo[0])
      try await push.send([[]])
      for _ in 0..<12 { #expect(try await pull.read() == [[]]) }
    }
  }

  @Test("STREAM-8: many tasks write and send to one stream; each one's messages keep their order") func many()
    async throws
  {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      try await withThrowingTaskGroup { group in
        for task in 0..<8 {
          group.addTask {
            for number in 0..<500 {
              let message: Message = [Frame("\(task)"), Frame("\(number)")]
              if number % 2 == 0 { push.write(message) } else { try await push.send(message) }
            }
          }
        }
        var next = [Int](repeating: 0, count: 8)
        for _ in 0..<4_000 {
          let message = try await pull.read()
          let task = try #require(message.number)
          #expect(message[1].text == "\(next[task])")
          next[task] += 1
        }
        #expect(next == Array(repeating: 500, count: 8))
        try await group.waitForAll()
      }
    }
  }

  @Test("LOOP-5, STREAM-8: a stream is written from its own reactor too, after what was written before")
  func onReactor()
    async throws
  {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      for round in 0..<200 {
        push.write(Message(number: 2 * round))
        await push.transport.write(Message(number: 2 * round + 1), to: push)
      }
      for number in 0..<400 { #expect(try await pull.read().number == number) }
    }
  }

  @Test("STREAM-9: drain returns at once when not paused, else waits until a reader has brought the buffer down")
  func drain() async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any], highWrite: 1_000, lowWrite: 200)
      for _ in 0..<100 { push.write(Self.ten) }
      try await push.drain()
      #expect(await push.transport.writeBufferSize == 1_000)
      push.write(Self.ten)
      let drained = Tally()
      let drainer = Task {
        try await push.drain()
        drained.countUp()
      }
      // A send goes into the buffer as well, and waits.
      let sender = Task {
        try await push.send(Self.ten)
        drained.countUp()
      }
      try await eventually("both messages") { await push.transport.writeBufferSize == 1_020 }
      #expect(drained.count == 0)
      let pull = try await peers.stream(.pull, connect: push.boundTo)
      try await drainer.value
      try await sender.value
      for _ in 0..<102 { #expect(try await pull.read() == Self.ten) }
    }
  }

  @Test("STREAM-9: who only sends is held up, so that what waits is bounded", arguments: [false, true])
  func bounded(onReactor: Bool) async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any], highWrite: 1_000)
      let sent = Tally()
      let sender = Task {
        for _ in 0..<5_000 {
          if onReactor {
            try await push.transport.send(Self.ten, to: push)
          } else {
            try await push.send(Self.ten)
          }
          sent.countUp()
        }
      }
      try await eventually("the mark") { await push.transport.writeBufferSize > 1_000 }
      await push.settled()
      #expect(await push.transport.writeBufferSize == 1_010)
      #expect(sent.count == 100)
      let pull = try await peers.stream(.pull, connect: push.boundTo)
      for _ in 0..<5_000 { _ = try await pull.read() }
      try await sender.value
    }
  }

  @Test("STREAM-10: drain and send throw after the close, and while they wait for it", arguments: [true, false])
  func closed(aborts: Bool) async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any], highWrite: 0) { $0.linger = .zero }
      let waiting = Task { try await push.send(Self.ten) }
      try await eventually("the message") { await push.transport.writeBufferSize == 10 }
      if aborts { await push.abort() } else { await push.close() }
      #expect(await failure { try await waiting.value }?.code == .notSocket)
      let error = await failure { try await push.drain() }
      #expect(error?.description.contains("drain on a closed stream") == true)
      #expect(await failure { try await push.send(Self.ten) }?.code == .notSocket)
    }
  }

  @Test("STREAM-10: a request waits for a peer to take it, and the next one is out of turn nevertheless")
  func outOfTurnWithoutPeer() async throws {
    try await Peers.with { peers in
      let request = try await peers.stream(.request, bind: [Peers.any])
      let isSent = Guarded(false)
      let sending = Task {
        try await request.send(["one"])
        isSent.withLock { $0 = true }
      }
      try await eventually("it waits") { await request.transport.writeBufferSize == 3 }
      #expect(!isSent.withLock { $0 })
      let reply = try await peers.stream(.reply, connect: request.boundTo)
      #expect(try await reply.read() == ["one"])
      try await sending.value
      #expect(await failure { try await request.send(["two"]) }?.code == .wrongState)
      #expect(request.exception?.code == .wrongState)
    }
  }

  @Test("STREAM-10, STREAM-13: a request out of turn is told to its sender, to readers, and as the exception")
  func outOfTurn() async throws {
    try await Peers.with { peers in
      let (reply, request) = try await peers.streams(.reply, .request)
      try await request.send(["one"])
      #expect(try await reply.read() == ["one"])
      #expect(request.exception == nil)
      let reader = Task { try await request.read() }
      try await eventually("a reader") { request.isAwaited }
      for call in [request.send, { _ in try await request.drain() }] as [(Message) async throws -> Void] {
        #expect(await failure { try await call(["two"]) }?.code == .wrongState)
      }
      #expect(await failure { try await reader.value }?.code == .wrongState)
      #expect(await failure { try await request.read() }?.code == .wrongState)
      #expect(request.exception?.code == .wrongState)
      #expect(request.exception?.call.contains("zmq_msg_send") == true)
      // The other side goes on.
      try await reply.send(["done"])
    }
  }

  @Test(
    "STREAM-10: a send to a socket that sends nothing throws, and the stream goes on",
    arguments: [SocketKind.pull, .subscribe])
  func sendsNothing(kind: SocketKind) async throws {
    try await Peers.with { peers in
      let it = try await peers.stream(kind, bind: [Peers.any])
      #expect(await failure { try await it.send(["a"]) }?.code == .notSupported)
      #expect(await it.transport.isOpen)
      #expect(it.exception == nil)
    }
  }

  @Test("a drain that is cancelled throws, and its message is sent all the same") func cancelled() async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any], highWrite: 0)
      let sender = Task { try await push.send(["hello"]) }
      try await eventually("the message") { await push.transport.writeBufferSize == 5 }
      sender.cancel()
      #expect(await failure { try await sender.value }?.code == .cancelled)
      let pull = try await peers.stream(.pull, connect: push.boundTo)
      #expect(try await pull.read() == ["hello"])
      try await push.drain()
    }
  }
}

extension Transport {
  /// Writes from the reactor of the stream.
  fileprivate func write(_ message: Message, to stream: MessageStream) { stream.write(message) }

  /// Sends from the reactor of the stream.
  fileprivate func send(_ message: Message, to stream: MessageStream) async throws { try await stream.send(message) }
}
