import HTTPServer
import Reactor
import Support
import Testing

@testable import Gateway

/// Stopping by a clock that the test moves.
@Suite("the grace", .inTurn(minutes: 3))
struct GraceTests {
  @Test("keeps a tenth for closing, at most a second")
  func drain() {
    #expect(Gateway.drain(of: .seconds(25)) == .seconds(24))
    #expect(Gateway.drain(of: .milliseconds(10_010)) == .milliseconds(9_010))
    #expect(Gateway.drain(of: .milliseconds(9_990)) == .milliseconds(8_991))
    #expect(Gateway.drain(of: .milliseconds(300)) == .milliseconds(270))
    #expect(Gateway.drain(of: .zero) == .zero)
  }

  @Test("keeps a twentieth for the end of the program, at most a tenth of a second")
  func stop() {
    #expect(Gateway.stop(of: .seconds(25)) == .milliseconds(24_900))
    #expect(Gateway.stop(of: .milliseconds(2_020)) == .milliseconds(1_920))
    #expect(Gateway.stop(of: .milliseconds(1_980)) == .milliseconds(1_881))
    #expect(Gateway.stop(of: .zero) == .zero)
  }

  @Test("is counted from the stop, however long the shard had nothing to do before")
  func idle() async throws {
    try await Cleanup.with { cleanup in
      let clock = ManualClock()
      let reactor = try Reactor(name: "grace", clock: clock.read)
      cleanup.add { await reactor.stop() }
      let shard = Shard(reactor, .init(), logger: Rig.logger)
      cleanup.add { await shard.close() }
      let listener = try Listener.open(try ListenAddress("127.0.0.1:0"))
      var options = ServerOptions()
      options.readTimeout = .seconds(3_600)
      try await shard.listen(
        on: listener, options: options, tls: nil, openConnections: OpenConnections(limit: 8, perAddress: 8),
        memory: MemoryBudget(limit: 1 << 30),
        logger: Rig.logger)
      // A request that is never complete is what the stop waits for.
      let slow = try HTTPConnection(port: listener.address.port)
      slow.send("GET /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n".bytes)
      // Accepted after the other one: once it is answered, the other one has arrived.
      let other = try HTTPConnection(port: listener.address.port)
      other.send("GET", "/live")
      _ = try await offThread { try other.reply() }
      clock.advance(by: .seconds(8))
      let isOver = Guarded(false)
      let stop = Task {
        await shard.drain(within: .seconds(25))
        isOver.withLock { $0 = true }
      }
      try await eventually("the shard to accept no more") {
        (try? HTTPConnection(port: listener.address.port)) == nil
      }
      clock.advance(by: .seconds(24))
      for _ in 0..<100 {
        reactor.wake()
        await shard.turn()
      }
      #expect(!isOver.withLock { $0 })
      clock.advance(by: .seconds(2))
      reactor.wake()
      await stop.value
      slow.disconnect()
    }
  }
}

extension Shard {
  /// Returns when the shard has come to it.
  fileprivate func turn() {}
}
