import Support
import Testing

@testable import ZeroMQ

/// With the option `reconnect` nil a connection is made once, and again when it is asked for.
@Suite("a connection that is made once", .inTurn(minutes: 3))
struct SingleConnectionTests {
  private func push(_ peers: Peers) async throws -> Peer {
    try await peers.peer(.push, options: { $0.set(.reconnect, to: nil) })
  }

  @Test(
    "CORE-46: is over when the only try fails, and made when it is asked for again; what was written waits",
    arguments: ["127.0.0.1", "localhost"])
  func failed(host: String) async throws {
    try await Peers.with { peers in
      let port = try RawPeer.freePort()
      let push = try await push(peers)
      let monitor = try await push.transport.monitor()
      try await push.transport.connect("tcp://\(host):\(port)")
      await push.write([1])
      for await event in monitor { if case .closed = event.kind { break } }
      await push.write([2])
      let pull = try await peers.peer(.pull, bind: ["tcp://127.0.0.1:\(port)"])
      try await push.transport.connect("tcp://\(host):\(port)")
      #expect(try await pull.has(2) == [[[1]], [[2]]])
      #expect(await push.transport.connections.count == 1)
    }
  }

  @Test("CORE-46: what is written when it is over waits until it is asked for again; it is listed once")
  func between() async throws {
    try await Peers.with { peers in
      let first = try await peers.peer(.pull, bind: [Peers.any])
      let bound = await first.boundTo[0]
      let push = try await push(peers)
      let monitor = try await push.transport.monitor()
      try await push.transport.connect(bound)
      await push.write([1])
      _ = try await first.has(1)
      await first.transport.close()
      await first.transport.waitClosed()
      for await event in monitor { if case .disconnected = event.kind { break } }
      // The I/O thread tells of the end before the socket has let go of the connection, and what is written meanwhile goes down with that.
      try await eventually("the socket to let go") { await !push.transport.hasOutput }
      await push.write([2])
      let second = try await peers.peer(.pull, bind: [bound])
      try await push.transport.connect(bound)
      await push.write([3])
      #expect(try await second.has(2) == [[[2]], [[3]]])
      #expect(await push.transport.connections == [bound])
    }
  }
}

extension Transport {
  /// Whether a message would leave at once.
  fileprivate var hasOutput: Bool { socket?.readinessNow.contains(.output) == true }
}
