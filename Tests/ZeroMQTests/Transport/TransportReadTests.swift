import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("what a transport reads", .inTurn(minutes: 3))
struct TransportReadTests {
  @Test("CORE-39: a pause stops delivery, the end of it goes on, and nothing is lost", arguments: [1, 100])
  func pause(count: Int) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(.pull, .push)
      await push.write([0])
      _ = try await pull.has(1)
      try await pull.transport.pauseReading()
      for number in 1...count { await push.write([UInt8(number)]) }
      // They have come, and wait.
      try await eventually("they are there") { await pull.transport.hasInput }
      #expect(pull.notes.messages.count == 1)
      try await pull.transport.resumeReading()
      #expect(try await pull.has(count + 1) == (0...count).map { [[UInt8($0)]] })
    }
  }

  @Test("CORE-39: a delegate may pause in the midst of what came together") func pauseWithin() async throws {
    try await Peers.with { peers in
      let pull = try await peers.peer(
        .pull, bind: [Peers.any],
        doing: { note, transport in
          if case .message = note { try transport.pauseReading() }
        })
      let push = try await peers.peer(.push, connect: pull.boundTo)
      for number in 0..<10 { await push.write([UInt8(number)]) }
      for count in 1...10 {
        #expect(try await pull.has(count).count == count)
        try await pull.transport.resumeReading()
      }
      #expect(pull.notes.messages == (0..<10).map { [[UInt8($0)]] })
    }
  }

  @Test(
    "CORE-40: to pause twice, to resume without a pause, and to pause when closed, are errors; to resume then is none")
  func misuse() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.pull)
      var error = await #expect(throws: ZMQError.self) { try await peer.transport.resumeReading() }
      #expect(error?.code == .invalid)
      try await peer.transport.pauseReading()
      error = await #expect(throws: ZMQError.self) { try await peer.transport.pauseReading() }
      #expect(error?.code == .already)
      await peer.transport.close()
      error = await #expect(throws: ZMQError.self) { try await peer.transport.pauseReading() }
      #expect(error?.code == .notSocket)
      try await peer.transport.resumeReading()
    }
  }

  @Test("PROTO-6: a delegate that throws at each message gets all of them", arguments: [SocketKind.pull, .reply])
  func throwing(kind: SocketKind) async throws {
    struct Fault: Error {}
    try await Peers.with { peers in
      let peer = try await peers.peer(
        kind, bind: [Peers.any],
        doing: { note, transport in
          guard case .message = note else { return }
          if kind == .reply { transport.write(["done"]) }
          throw Fault()
        })
      let other = try await peers.peer(kind == .pull ? .push : .request, connect: peer.boundTo)
      for count in 1...300 {
        await other.write([1])
        if kind == .reply { _ = try await other.has(count) }
      }
      #expect(try await peer.has(300).count == 300)
      try await eventually("the reports") { peer.reports.withLock { $0.count } == 300 }
    }
  }

  @Test("a kept message keeps its bytes, and may be sent on from any task") func kept() async throws {
    try await Peers.with { peers in
      let kept = Guarded<[Message]>([])
      let pull = try await peers.peer(.pull, bind: [Peers.any])
      let relay = try await Transport.open(.pull, bind: [Peers.any], on: peers.reactor, in: peers.context) {
        Keeper(kept)
      }
      let push = try await peers.peer(.push, connect: relay.bindings)
      let frames = [
        [UInt8](repeating: 1, count: 20), [UInt8](repeating: 2, count: 2_000), [UInt8](repeating: 3, count: 1 << 18),
      ]
      for _ in 0..<20 { await push.transport.write(Message(frames)) }
      try await eventually("the messages") { kept.withLock { $0.count == 20 } }
      let messages = kept.withLock { $0 }
      #expect(messages.allSatisfy { $0 == Message(frames) })
      #expect(messages.allSatisfy { $0.byteCount == 20 + 2_000 + (1 << 18) })
      #expect(messages[0].peerAddress == "127.0.0.1")
      #expect(messages[0].property("Socket-Type") == "PUSH")
      #expect(messages[0].userID == nil)
      #expect(Message(frames).peerAddress == nil)
      // From many tasks at one time, each over a socket of its own.
      try await withThrowingTaskGroup { group in
        for _ in 0..<4 {
          let sender = try await peers.peer(.push, connect: pull.boundTo)
          group.addTask { for message in messages { await sender.transport.write(message) } }
        }
        try await group.waitForAll()
      }
      #expect(try await pull.has(80).allSatisfy { $0 == frames })
      await relay.close()
      await relay.waitClosed()
    }
  }

  private final class Keeper: TransportDelegate {
    private let kept: Guarded<[Message]>
    init(_ kept: Guarded<[Message]>) { self.kept = kept }
    func messageReceived(_ message: Message, on transport: isolated Transport) { kept.withLock { $0.append(message) } }
  }
}

extension Transport {
  /// Whether messages wait in libzmq.
  fileprivate var hasInput: Bool { socket?.readinessNow.contains(.input) == true }
}
