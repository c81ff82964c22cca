import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a delegate of a socket", .inTurn(minutes: 3))
struct LoopSocketDelegateTests {
  @Test("a delegate that closes it at a message hears no more: no end of the batch, no end of the connection")
  func closedAtMessage() async throws {
    try await Stations.with { stations in
      var options = SocketOptions()
      options.linger = .seconds(10)
      let peer = try await stations.open(.push, options)
      // So few in a turn that the end of the connection is there before the last message.
      let station = try await stations.open(.pull, messagesPerTurn: 1)
      let last = 500
      station.atMessage.withLock {
        $0 = { [station] socket in
          if station.messages.withLock({ $0.count }) == last { socket.close() }
        }
      }
      try await station.connect(try await peer.bind("tcp://127.0.0.1:*"))
      try await peer.sees([.connected])
      for _ in 0..<last { #expect(try await peer.send([[1]])) }
      // One that would be the next, unless it is closed already.
      _ = try await peer.send([[1]])
      await peer.close()
      try await eventually("it is closed") { await !station.isOpen }
      #expect(await station.rests())
      #expect(station.messages.withLock { $0.count } == last)
      #expect(station.batches.count < last)
      #expect(station.events.withLock { $0 } == [.connected])
      station.atMessage.withLock { $0 = nil }
    }
  }

  @Test("a delegate may end the connection at a message", arguments: ["tcp://127.0.0.1:*", "inproc://a"])
  func disconnectedAtMessage(endpoint: String) async throws {
    try await Stations.with { stations in
      let (peer, station) = (try await stations.open(.push), try await stations.open(.pull))
      let endpoint = try Endpoint(try await peer.bind(endpoint))
      station.atMessage.withLock { $0 = { socket in try? socket.disconnect(endpoint) } }
      try await station.connect(endpoint.description)
      try await eventually("a message is sent") { try await peer.send([[7]]) }
      try await station.sees([.connected, .disconnected])
      #expect(try await station.has(1).first == [[7]])
      #expect(await station.endpoints == [0, 0])
    }
  }

  @Test("a delegate is told of who comes first before it gets the messages, however late it is told")
  func firstConnection() async throws {
    try await Stations.with { stations in
      let elsewhere = try Reactor()
      for _ in 0..<10 {
        let (peer, station) = (Station(elsewhere, in: stations.context), try await stations.open(.pull))
        try await peer.open(.push)
        let endpoint = try await peer.bind("tcp://127.0.0.1:*")
        let before = Guarded<[[ConnectionEvent]]>([])
        station.atMessage.withLock {
          $0 = { [station] _ in before.withLock { $0.append(station.events.withLock { $0 }) } }
        }
        async let stalled: Void = station.connectAndStall(endpoint)
        try await eventually("a message is sent") { try await peer.send([[7]]) }
        try await stalled
        try await eventually("the message is there") { before.withLock { !$0.isEmpty } }
        #expect(before.withLock { $0 } == [[.connected]])
        station.atMessage.withLock { $0 = nil }
        await peer.close()
        await station.close()
      }
      await elsewhere.stop()
    }
  }
}
