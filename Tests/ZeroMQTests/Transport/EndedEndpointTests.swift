import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("endpoints that a transport shares and leaves", .inTurn(minutes: 3))
struct EndedEndpointTests {
  @Test("CORE-43, GEN-8: what is unbound can be bound again; an endpoint that is not bound is ENOENT") func unbind()
    async throws
  {
    try await Peers.with { peers in
      let (a, b) = (try await peers.peer(.pull, bind: [Peers.any]), try await peers.peer(.pull))
      let endpoint = await a.boundTo[0]
      try await a.transport.unbind(endpoint)
      #expect(await a.boundTo.isEmpty)
      try await b.transport.bind(endpoint)
      let error = await #expect(throws: ZMQError.self) { try await a.transport.unbind(endpoint) }
      #expect(error?.code == .notFound)
    }
  }

  @Test(
    "CORE-43: what is only connected to is not bound, and stays connected",
    arguments: [Peers.any, "ipc", "ipc://@zg-core-43", "inproc://a"])
  func unbindConnection(endpoint: String) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(
        .pull, .push, at: endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint)
      let bound = await pull.boundTo[0]
      #expect(await failure { try await push.transport.unbind(bound) }?.code == .notFound)
      #expect(await failure { try await pull.transport.disconnect(bound) }?.code == .notFound)
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
      #expect(await push.transport.connections == [bound])
    }
  }

  @Test(
    "CORE-46: a name and the number that it leads to share one connection, which stays when either is left",
    arguments: [true, false])
  func nameAndNumber(leavesName: Bool) async throws {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull, bind: [Peers.any])
      let bound = await pull.boundTo[0]
      let monitor = try await pull.transport.monitor()
      let push = try await peers.peer(.push)
      let name = try await push.transport.connect("tcp://localhost:\(bound.port)")
      await push.write([1])
      _ = try await pull.has(1)
      try await push.transport.connect(bound)
      await push.write([2])
      _ = try await pull.has(2)
      try await push.transport.disconnect(leavesName ? name : bound)
      await push.write([3])
      #expect(try await pull.has(3) == [[[1]], [[2]], [[3]]])
      await pull.transport.close()
      var handshakes = 0
      for await event in monitor { if case .handshakeSucceeded = event.kind { handshakes += 1 } }
      #expect(handshakes == (leavesName ? 2 : 1))
    }
  }

  @Test(
    "CORE-43: unbind ends the connections that came in there, but over inproc",
    arguments: [Peers.any, "ipc", "inproc://a"])
  func unbindConnected(endpoint: String) async throws {
    try await Peers.with { peers in
      let (first, push) = try await peers.pair(
        .pull, .push, at: endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint)
      let bound = await first.boundTo[0]
      let isKept = endpoint == "inproc://a"
      await push.write([0])
      #expect(try await first.has(1) == [[[0]]])
      try await first.transport.unbind(bound)
      let second = try await peers.peer(.pull)
      let monitor = try await second.transport.monitor()
      try await second.transport.bind(bound)
      if !isKept { for await event in monitor where event.kind.name == "handshakeSucceeded" { break } }
      await push.write([1])
      #expect(isKept ? try await first.has(2) == [[[0]], [[1]]] : try await second.has(1) == [[[1]]])
    }
  }

  @Test(
    "CORE-43: what was bound is known by what it was asked for as well, with its port; no name is looked up",
    arguments: ["tcp://localhost:*", "tcp://*:*", "tcp://lo:*"])
  func unbindAsked(asked: String) async throws {
    try await Peers.with { peers in
      let (a, b) = (try await peers.peer(.pull), try await peers.peer(.pull))
      let bound = try await a.transport.bind(asked)
      let fixed = asked.dropLast() + "\(bound.port)"
      for other in ["tcp://no-such-host.invalid:\(bound.port)", "tcp://localhost:1"] {
        #expect(await failure { try await a.transport.unbind(other) }?.code == .notFound)
      }
      #expect(await a.boundTo == [bound])
      try await a.transport.unbind(String(fixed))
      #expect(await a.boundTo.isEmpty)
      try await b.transport.bind(bound)
    }
  }

  @Test(
    "CORE-46: to connect twice is to connect once, and one disconnect ends it",
    arguments: [Peers.any, "ipc://@zg-core-46", "inproc://a"])
  func connectTwice(endpoint: String) async throws {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(.pull, .push, at: endpoint)
      let bound = await pull.boundTo[0]
      #expect(try await push.transport.connect(bound) == bound)
      #expect(await push.transport.connections == [bound])
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
      try await push.transport.disconnect(bound)
      #expect(await push.transport.connections.isEmpty)
      await push.write([2])
      #expect(await push.transport.writeBufferSize == 1)
      #expect(await failure { try await push.transport.disconnect(bound) }?.code == .notFound)
      try await push.transport.connect(bound)
      #expect(try await pull.has(2) == [[[1]], [[2]]])
    }
  }

  @Test("CORE-46: disconnect ends the connection; an endpoint that is not connected to is ENOENT") func disconnect()
    async throws
  {
    try await Peers.with { peers in
      let (pull, push) = try await peers.pair(.pull, .push)
      let endpoint = await pull.boundTo[0]
      await push.write([1])
      _ = try await pull.has(1)
      try await push.transport.disconnect(endpoint)
      #expect(await push.transport.connections.isEmpty)
      // Without a peer, what is written waits.
      await push.write([2])
      #expect(await push.transport.writeBufferSize == 1)
      let error = await #expect(throws: ZMQError.self) { try await push.transport.disconnect(endpoint) }
      #expect(error?.code == .notFound)
      try await push.transport.connect(endpoint)
      #expect(try await pull.has(2) == [[[1]], [[2]]])
    }
  }
}
