import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the messages of a stream as sequences", .inTurn(minutes: 3))
struct StreamSequenceTests {
  @Test(
    "STREAM-4: messages and batches come in order, and end when the stream is closed", arguments: [0, 100, 1 << 30])
  func sequences(mark: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: mark)
      let writer = Task { for number in 0..<3_000 { try await push.send(Message(number: number)) } }
      var numbers: [Int?] = []
      for try await message in pull.messages {
        numbers.append(message.number)
        if numbers.count == 1_000 { break }
      }
      for try await batch in pull.batches {
        #expect((1...256).contains(batch.count))
        numbers += batch.map(\.number)
        if numbers.count == 3_000 { await pull.close() }
      }
      try await writer.value
      #expect(numbers == Array(0..<3_000))
      for try await message in pull.messages { Issue.record("\(message) after the end") }
    }
  }

  @Test("a batch is what is there, at most 256; with a mark of 0 it is one message", arguments: [0, 1 << 30])
  func batches(mark: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push, highRead: mark)
      for number in 0..<600 { push.write(Message(number: number)) }
      if mark > 0 { try await eventually("all are there") { pull.readBufferSize == 10 + 2 * 90 + 3 * 500 } }
      var counts: [Int] = []
      for try await batch in pull.batches {
        // Frames are read in place.
        let first = batch[0][0]
        #expect(first.bytes.byteCount == first.count)
        counts.append(batch.count)
        if counts.reduce(0, +) == 600 { break }
      }
      #expect(counts == (mark > 0 ? [256, 256, 88] : Array(repeating: 1, count: 600)))
    }
  }

  @Test("a sequence ends when its task is cancelled, and loses nothing") func cancelled() async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.streams(.pull, .push)
      let reader = Task {
        var numbers: [Int?] = []
        for try await message in pull.messages { numbers.append(message.number) }
        return numbers
      }
      try await eventually("a reader") { pull.isAwaited }
      push.write(Message(number: 0))
      try await eventually("the reader waits again") { pull.isAwaited && pull.readBufferSize == 0 }
      reader.cancel()
      push.write(Message(number: 1))
      let numbers = try await reader.value
      #expect(try await pull.read().number == numbers.count)
    }
  }

  @Test("a sequence throws what has ended the stream") func failed() async throws {
    try await Peers.with { peers in
      let subscribe = try await peers.stream(.subscribe, bind: [Peers.any])
      let reader = Task { for try await _ in subscribe.batches {} }
      try await eventually("a reader") { subscribe.isAwaited }
      subscribe.write(["a SUB cannot send"])
      let error = await failure { try await reader.value }
      #expect(error?.code == .notSupported)
    }
  }

  @Test("a sequence of a socket that receives nothing throws, as a read does") func receivesNothing() async throws {
    try await Peers.with { peers in
      let push = try await peers.stream(.push, bind: [Peers.any])
      #expect(await failure { for try await _ in push.messages {} }?.code == .notSupported)
      #expect(await failure { for try await _ in push.batches {} }?.code == .notSupported)
    }
  }
}
