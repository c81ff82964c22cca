import Reactor
import Support
import Testing
import ZeroMQ

@Suite("steering a proxy", .inTurn(minutes: 1))
struct ProxyControlTests {
  @Test("a PULL steers it too, without answers") func oneWay() async throws {
    try await Peers.with { peers in
      let it = Proxy(try await peers.peer(.pull).transport, try await peers.peer(.push).transport)
      let control = try await Transport.open(
        .pull, bind: ["inproc://control"], on: peers.reactor, in: peers.context
      ) { ProxyControl(it) }
      peers.keep(control)
      let steering = try await peers.peer(.push, connect: ["inproc://control"])
      let running = Task { try await it.run() }
      try await eventually("it runs") { await it.isRunning }
      for command in ["STATISTICS", "what", "TERMINATE"] { await steering.transport.write(Message(command)) }
      try await running.value
      #expect(await control.isOpen)
    }
  }
}
