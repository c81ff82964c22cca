import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a transport that waits for room", .inTurn(minutes: 3))
struct TransportRoomTests {
  private static let more = 100
  private static let long = [UInt8](repeating: 7, count: 1 << 20)

  /// libzmq says of the first four that there is room, whatever their peers have.
  @Test(
    "lets its reactor sleep, and sends what waits when there is room",
    arguments: [SocketKind.router, .publish, .xPublish, .push])
  func rests(kind: SocketKind) async throws {
    try await Peers.with { peers in
      let sender = try await peers.peer(
        kind, bind: [Peers.any],
        options: { options in
          options.sendHighWaterMark = 2
          if kind == .publish || kind == .xPublish { options.set(.noDrop, to: true) }
          options.watchesSubscribers = kind == .publish
        })
      let others: [SocketKind: SocketKind] = [.router: .dealer, .push: .pull]
      let receiver = try await peers.peer(
        others[kind] ?? .subscribe, connect: sender.boundTo, options: { $0.receiveHighWaterMark = 1 })
      var message = [Self.long]
      switch kind {
      case .router:
        await receiver.write([1])
        message.insert(try await sender.has(1)[0][0], at: 0)
      case .push: break
      default:
        try await receiver.transport.subscribe([])
        try await sender.transport.waitForSubscriber(of: [])
      }
      try await receiver.transport.pauseReading()
      let count = try await sender.fill(Message(message)) + Self.more
      // The kernel takes some more meanwhile.
      for _ in 0..<Self.more { await sender.transport.write(Message(message)) }
      #expect(await sender.transport.rests())
      #expect(await sender.transport.writeBufferSize > 0)
      try await receiver.transport.resumeReading()
      _ = try await receiver.has(count)
      #expect(sender.reported.isEmpty)
    }
  }

  @Test("lets its reactor sleep while a client of a STREAM reads nothing") func stream() async throws {
    try await Peers.with { peers in
      let sender = try await peers.peer(.stream, bind: [Peers.any], options: { $0.sendHighWaterMark = 2 })
      let client = try RawPeer(port: UInt16(await sender.boundTo[0].port))
      let identity = try await sender.has(1)[0][0]
      _ = try await sender.fill(Message([identity, Self.long]))
      for _ in 0..<Self.more { await sender.transport.write(Message([identity, Self.long])) }
      #expect(await sender.transport.rests())
      #expect(await sender.transport.writeBufferSize > 0)
      // It goes, and what waits for it too.
      _ = consume client
      try await eventually("nothing waits") { await sender.transport.writeBufferSize == 0 }
    }
  }
}

extension Transport {
  /// Whether the loop sleeps: few turns pass in a while.
  fileprivate func rests() async -> Bool {
    let (before, later) = (reactor.loop.turns, Tally())
    _ = reactor.loop.schedule(at: reactor.loop.now + .milliseconds(300), Later(later))
    await later.reaches(1)
    return reactor.loop.turns - before < 300
  }
}
