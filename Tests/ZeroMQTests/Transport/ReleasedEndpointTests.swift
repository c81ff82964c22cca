import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("what a transport was bound to", .inTurn(minutes: 3))
struct ReleasedEndpointTests {
  @Test("CORE-41: with the option ipv6 an IPv4 address stays one, to which peers without the option can connect")
  func mapped() async throws {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull, bind: [Peers.any], options: { $0.ipv6 = true })
      let bound = await pull.boundTo[0]
      #expect(bound.description.hasPrefix("tcp://127.0.0.1:"))
      let push = try await peers.peer(.push, connect: [bound])
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
      try await pull.transport.unbind(bound)
      try await push.transport.bind(bound)
    }
  }

  @Test("CORE-43: a name that gets no answer can be given up: the task that binds is cancelled") func cancelled()
    async throws
  {
    let (asked, answered) = (Tally(), Tally())
    let resolver = Resolver { _ in
      asked.countUp()
      while answered.count == 0 { sched_yield() }
      return .init()
    }
    let binding = Task { try await Endpoint("tcp://dead.example:1").bindAddress(ipv6: false, resolver: resolver) }
    await asked.reaches(1)
    binding.cancel()
    #expect(await failure { try await binding.value }?.code == .cancelled)
    answered.countUp()
  }

  @Test(
    "CORE-43: once unbind or close has returned, others can bind there, while peers come and go",
    arguments: [Peers.any, "ipc", "ipc://@zg-core-43-at-once", "inproc://at-once"])
  func atOnce(endpoint: String) async throws {
    try await Peers.with { peers in
      let first = try await peers.peer(.pull, bind: [endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint])
      let bound = await first.boundTo[0]
      _ = try await peers.peer(.push, connect: [bound])
      try await first.transport.unbind(bound)
      for round in 0..<100 {
        let next = try await peers.peer(.pull, bind: [bound])
        if round % 2 == 0 {
          try await next.transport.unbind(bound)
        } else {
          await next.transport.close()
          await next.transport.waitClosed()
        }
      }
      // Nor does a call that fails halfway keep what it has bound.
      for _ in 0..<10 {
        #expect(await failure { try await peers.peer(.pull, bind: ["\(bound)", "inproc://b", "inproc://b"]) } != nil)
      }
      let stream = try await MessageStream.open(.pull, bind: [bound], on: peers.reactor, in: peers.context)
      await stream.close()
      _ = try await peers.peer(.pull, bind: [bound])
    }
  }

  @Test("what libzmq has still to send when a bound transport closes arrives", arguments: [Peers.any, "ipc"])
  func unsent(endpoint: String) async throws {
    try await Peers.with { peers in
      let place = endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint
      let push = try await peers.peer(.push, bind: [place], options: { $0.linger = .seconds(20) })
      let pull = try await peers.peer(.pull, connect: [await push.boundTo[0]])
      // More than the kernel holds.
      let long = [UInt8](repeating: 7, count: 1 << 20)
      for _ in 0..<32 { await push.write(long) }
      await push.transport.close()
      await push.transport.waitClosed()
      #expect(try await pull.has(32) == [[[UInt8]]](repeating: [long], count: 32))
    }
  }
}
