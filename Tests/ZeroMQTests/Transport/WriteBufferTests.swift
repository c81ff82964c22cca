import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("the write buffer", .inTurn(minutes: 3))
struct WriteBufferTests {
  private static func message(_ bytes: Int) -> Message { Message([[UInt8](repeating: 0, count: bytes)]) }

  @Test("CORE-33: its limits are 16 KiB and 64 KiB by default") func defaults() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      let limits = await peer.transport.writeBufferLimits
      #expect(limits == (16_384, 65_536))
    }
  }

  @Test(
    "CORE-34: one limit makes the other",
    arguments: [
      (10, nil, 2, 10), (nil, 10, 10, 40), (0, nil, 0, 0), (nil, 0, 0, 0), (nil, nil, 16_384, 65_536), (5, 5, 5, 5),
      (nil, Int.max, Int.max, Int.max),
    ] as [(Int?, Int?, Int, Int)])
  func arithmetic(high: Int?, low: Int?, lower: Int, upper: Int) {
    var buffer = WriteBuffer()
    let isTaken = buffer.setLimits(high: high, low: low)
    #expect(isTaken)
    #expect((buffer.limits.low, buffer.limits.high) == (lower, upper))
  }

  @Test(
    "CORE-34: limits that make no sense are refused",
    arguments: [(5, 10), (100, -1), (-1, nil), (nil, -1)] as [(Int?, Int?)])
  func refused(high: Int?, low: Int?) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      let error = await #expect(throws: ZMQError.self) {
        try await peer.transport.setWriteBufferLimits(high: high, low: low)
      }
      #expect(error?.code == .invalid)
      #expect(await peer.transport.writeBufferLimits == (16_384, 65_536))
    }
  }

  @Test("CORE-35: its size is that of the bytes that wait") func size() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      await peer.write([UInt8](repeating: 0, count: 60), [UInt8](repeating: 0, count: 40))
      #expect(await peer.transport.writeBufferSize == 100)
    }
  }

  @Test("CORE-36: a message without bytes counts as one, so that no more of them wait than of others") func empty() {
    var buffer = WriteBuffer()
    _ = buffer.setLimits(high: 3, low: 1)
    var changes: [WriteBuffer.Change?] = (0..<5).map { buffer.append($0 == 2 ? Message([[], []]) : Self.message(0)) }
    #expect(changes == [nil, nil, nil, .pause, nil])
    #expect(buffer.byteCount == 0)
    changes = (0..<5).map { _ in buffer.removeFirst() }
    #expect(changes == [nil, nil, nil, .resume, nil])
  }

  @Test("CORE-36: pauses strictly above high, and resumes at low") func marks() {
    var buffer = WriteBuffer()
    _ = buffer.setLimits(high: 10, low: 5)
    var changes: [WriteBuffer.Change?] = [4, 4, 2, 1, 3].map { buffer.append(Self.message($0)) }
    #expect(changes == [nil, nil, nil, .pause, nil])
    #expect(buffer.byteCount == 14)
    changes = (0..<5).map { _ in buffer.removeFirst() }
    #expect(changes == [nil, nil, .resume, nil, nil])
    #expect(buffer.byteCount == 0)
  }

  @Test("CORE-36, PROTO-4: the delegate is told in turn, as often as the buffer fills and empties", arguments: [0, 1])
  func turns(low: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(
        .pull, .push, at: "inproc://a", options: { ($0.sendHighWaterMark, $0.receiveHighWaterMark) = (5, 5) })
      try await push.transport.setWriteBufferLimits(high: 10, low: low)
      for round in 1...3 {
        try await pull.transport.pauseReading()
        // With what is there at first, 10 bytes, and no more: not above the mark.
        _ = try await push.fill(Message([[UInt8](repeating: 0, count: 10)]))
        #expect(push.notes.events.count == 2 * round - 1)
        await push.write([0])
        #expect(push.notes.events.count == 2 * round)
        await push.write([0])
        try await pull.transport.resumeReading()
        try await eventually("the end of the pause") { push.notes.events.count == 2 * round + 1 }
      }
      #expect(push.notes.events == [.made] + Array(repeating: [.pause, .resume], count: 3).flatMap(\.self))
    }
  }

  @Test("CORE-37: pauseWriting is told within write") func within() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      let isTold = await peer.transport.isToldWithin(peer.notes)
      #expect(isTold == [false, true])
    }
  }

  @Test("CORE-38: a delegate that throws is reported, and the transport goes on") func throwing() async throws {
    struct Fault: Error {}
    try await Peers.with { peers in
      let push = try await peers.peer(.push, bind: [Peers.any], doing: { _, _ in throw Fault() })
      try await push.transport.setWriteBufferLimits(high: 0)
      await push.write([1])
      let pull = try await peers.peer(.pull, connect: push.boundTo, doing: { _, _ in throw Fault() })
      await push.write([2])
      #expect(try await pull.has(2) == [[[1]], [[2]]])
      await push.transport.close()
      await push.transport.waitClosed()
      let methods = ["connectionMade", "pauseWriting", "resumeWriting", "connectionLost"]
      #expect(push.notes.all == [.made, .pause, .resume, .lost(nil)])
      #expect(push.reported == methods.map { "\($0) of the delegate of a PUSH socket threw: Fault()" })
    }
  }

  @Test("changed limits count at once") func changed() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      await peer.write([UInt8](repeating: 0, count: 100))
      try await peer.transport.setWriteBufferLimits(high: 100)
      #expect(peer.notes.events == [.made])
      try await peer.transport.setWriteBufferLimits(high: 99)
      #expect(peer.notes.events == [.made, .pause])
      try await peer.transport.setWriteBufferLimits(low: 100)
      #expect(peer.notes.events == [.made, .pause, .resume])
    }
  }
}

extension Transport {
  /// Whether the pause is told before the write that comes to the mark, and the one that goes beyond it, have returned.
  fileprivate func isToldWithin(_ notes: Notes) -> [Bool] {
    [65_536, 1].map { count in
      write(Message([[UInt8](repeating: 0, count: count)]))
      return notes.events.contains(.pause)
    }
  }
}
