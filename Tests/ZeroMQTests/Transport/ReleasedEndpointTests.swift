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

  @Test("whoever has taken a path over is left alone when the one before goes", arguments: [true, false])
  func takenOver(isUnbound: Bool) async throws {
    try await Peers.with { peers in
      let old = try await peers.peer(.pull, bind: [peers.directory.endpoint("a")])
      let bound = await old.boundTo[0]
      let path = peers.directory.path + "/a"
      unlink(path)
      let next = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
      defer { close(next) }
      #expect(LocalPath(path).withAddress { bind(next, $0, $1) } == 0 && listen(next, 16) == 0)
      if isUnbound { try await old.transport.unbind(bound) }
      await old.transport.close()
      await old.transport.waitClosed()
      #expect(accept(next, nil, nil) == -1 && errno == EAGAIN)
    }
  }

  @Test("what has not left when linger is over is told of")
  func lingerOver() async throws {
    try await Peers.with { peers in
      let push = try await peers.peer(.push, bind: [Peers.any], options: { $0.linger = .milliseconds(50) })
      for number in 1...3 as ClosedRange<UInt8> { await push.write([number]) }
      await push.transport.close()
      await push.transport.waitClosed()
      #expect(push.reported.count == 1 && push.reported[0].contains("3 messages"), "\(push.reported)")
      let dropping = try await peers.peer(.push, bind: [Peers.any], options: { $0.linger = .zero })
      await dropping.write([1])
      await dropping.transport.close()
      await dropping.transport.waitClosed()
      #expect(dropping.reported == [])
    }
  }
}
