import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("what is read from a stream", .inTurn(minutes: 3))
struct StreamReadTests {
  @Test("STREAM-4: read waits for a message, and returns one after the other", arguments: [0, 100, 1 << 30])
  func order(mark: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: mark)
      async let numbers = {
        var numbers: [Int?] = []
        for _ in 0..<1_000 { numbers.append(try await pull.read().number) }
        return numbers
      }()
      for number in 0..<1_000 { push.write(Message(number: number)) }
      #expect(try await numbers == Array(0..<1_000))
    }
  }

  @Test("STREAM-3: receiving pauses above the high mark, goes on at the low one, and loses nothing")
  func marks() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: 1_000, lowRead: 200)
      for _ in 0..<300 { push.write(Message([[UInt8](repeating: 7, count: 10)])) }
      try await eventually("a full buffer") { pull.readBufferSize == 1_010 }
      try await eventually("more in libzmq") { await pull.hasInput }
      for _ in 0..<80 { _ = try await pull.read() }
      // Above the low mark nothing comes, however much is there.
      await pull.settled()
      #expect(pull.readBufferSize == 210)
      #expect(await pull.transport.isReadingPaused)
      _ = try await pull.read()
      try await eventually("a full buffer again") { pull.readBufferSize == 1_010 }
      for _ in 81..<300 { _ = try await pull.read() }
      #expect(pull.readBufferSize == 0)
    }
  }

  @Test("STREAM-3: with a mark of 0, messages stay in libzmq until somebody waits for one") func onDemand() async throws
  {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: 0)
      for number in 0..<3 { push.write(Message(number: number)) }
      try await eventually("messages in libzmq") { await pull.hasInput }
      #expect(pull.readBufferSize == 0)
      #expect(try await pull.read().number == 0)
      await pull.settled()
      #expect(pull.readBufferSize == 0)
      try await eventually("the next one in libzmq") { await pull.hasInput }
      #expect(try await pull.read().number == 1)
      #expect(try await pull.read().number == 2)
    }
  }

  @Test("STREAM-15: marks that are set later count at once") func newMarks() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: 0)
      for number in 0..<3 { push.write(Message(number: number)) }
      try await eventually("messages in libzmq") { await pull.hasInput }
      try pull.setReadBufferLimits(high: 1)
      #expect(pull.readBufferLimits == (0, 1))
      try await eventually("two messages") { pull.readBufferSize == 2 }
      try pull.setReadBufferLimits()
      try await eventually("all messages") { pull.readBufferSize == 3 }
      #expect(throws: ZMQError.self) { try pull.setReadBufferLimits(high: 1, low: 2) }
      #expect(pull.readBufferLimits == (16 << 10, 64 << 10))
    }
  }

  @Test("STREAM-17: a message of only empty frames is delivered at once", arguments: [1, 2, 40])
  func empty(count: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      push.write(Message([[UInt8]](repeating: [], count: count)))
      let message = try await pull.read()
      #expect(message.map(\.count) == Array(repeating: 0, count: count))
    }
  }

  @Test("to read from what receives nothing is an error", arguments: [SocketKind.push, .publish]) func nothing(
    kind: SocketKind
  ) async throws {
    try await Peers.with { peers in
      let stream = try await peers.stream(kind)
      #expect(await failure { try await stream.read() }?.code == .notSupported)
    }
  }

  @Test("STREAM-6: to read while another task waits is an error; the one who waits gets its message")
  func concurrent() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      let first = Task { try await pull.read() }
      try await eventually("a reader") { pull.isAwaited }
      let error = await failure { try await pull.read() }
      #expect(error?.code == .already)
      #expect(error?.description.contains("read, while another task reads") == true)
      push.write(["hello"])
      #expect(try await first.value == ["hello"])
      push.write(["again"])
      #expect(try await pull.read() == ["again"])
    }
  }

  @Test("STREAM-7: a cancelled read throws, and takes nothing: the next one gets the message", arguments: [0, 100])
  func cancelled(mark: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: mark)
      let reader = Task { try await pull.read() }
      try await eventually("a reader") { pull.isAwaited }
      reader.cancel()
      // Another may read at once, and does not have to wait for the end of the first.
      let other = Task { try await pull.read() }
      let error = await failure { try await reader.value }
      #expect(error?.code == .cancelled)
      push.write(["hello"])
      #expect(try await other.value == ["hello"])
      // Cancelled before it begins, although there is a message.
      push.write(["again"])
      let late = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await pull.read()
      }
      #expect(await failure { try await late.value }?.code == .cancelled)
      #expect(try await pull.read() == ["again"])
    }
  }

  @Test("STREAM-7: readers that are cancelled at any moment lose no message, and none comes twice", arguments: [0, 20])
  func storm(mark: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: mark)
      let writer = Task { for number in 0..<2_000 { try await push.send(Message(number: number)) } }
      var (numbers, cancelled) = ([Int?](), 0)
      while numbers.count < 2_000 {
        let reader = Task { try await pull.read() }
        if numbers.count % 3 != 0 { reader.cancel() }
        do { numbers.append(try await reader.value.number) } catch let error as ZMQError {
          try #require(error.code == .cancelled)
          cancelled += 1
          // For once without being cancelled, so that it ends.
          numbers.append(try await pull.read().number)
        }
      }
      try await writer.value
      #expect(numbers == Array(0..<2_000))
      #expect(cancelled > 0)
    }
  }
}
