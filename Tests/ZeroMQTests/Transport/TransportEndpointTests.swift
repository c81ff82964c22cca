import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("a transport's endpoints", .inTurn(minutes: 3))
struct TransportEndpointTests {
  @Test(
    "CORE-41: bind returns the endpoint with wildcards resolved",
    arguments: [
      ("tcp://127.0.0.1:*", "tcp://127.0.0.1:", false), ("tcp://127.0.0.1:0", "tcp://127.0.0.1:", false),
      ("tcp://*:*", "tcp://0.0.0.0:", false), ("tcp://*:*", "tcp://[::]:", true),
      ("tcp://[::1]:*", "tcp://[::1]:", true),
      ("tcp://lo:*", "tcp://127.0.0.1:", false), ("tcp://localhost:*", "tcp://127.0.0.1:", false),
      ("ipc://*", "ipc://", false),
      ("ipc://@zg-core-41", "ipc://@zg-core-41", false), ("inproc://a", "inproc://a", false),
    ])
  func wildcards(asked: String, begins: String, ipv6: Bool) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.router, options: { $0.ipv6 = ipv6 })
      let bound = try await peer.transport.bind(asked)
      #expect(bound.description.hasPrefix(begins))
      #expect(bound.description.contains("*") == false)
      if case .tcp(_, let port) = bound.address { #expect(port > 0) }
      #expect(await peer.transport.bindings == [bound])
    }
  }

  @Test("an IPv6 address needs the option, to bind and to connect") func withoutIPv6() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.router).transport
      let errors = [
        await failure { try await it.bind("tcp://[::1]:*") },
        await failure { try await it.connect("tcp://[::1]:5555") },
      ]
      for error in errors { #expect(error?.call.contains("with the option ipv6 off") == true) }
      #expect(await it.bindings.isEmpty)
    }
  }

  @Test(
    "a message tells the address of its peer, in numbers; over ipc and inproc there is none",
    arguments: [
      (Peers.any, "127.0.0.1" as String?), ("tcp://[::1]:*", "::1"), ("tcp://*:*", "127.0.0.1"), ("ipc", nil),
      ("inproc://a", nil),
    ])
  func peerAddress(endpoint: String, address: String?) async throws {
    try await Peers.with { peers in
      let pull = try await peers.stream(
        .pull, bind: [endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint], options: { $0.ipv6 = true })
      let bound = await pull.boundTo[0]
      let port = bound.port
      let push = try await peers.stream(
        .push, connect: [endpoint == "tcp://*:*" ? "tcp://127.0.0.1:\(port)" : bound.description],
        options: { $0.ipv6 = true })
      push.write(["x"])
      let message = try await pull.read()
      #expect(message.peerAddress == address)
      if endpoint == "ipc" { #expect(message.property("Peer-Address")?.hasPrefix("localhost:\(getuid()):") == true) }
    }
  }

  @Test(
    "GEN-4: messages go over tcp of IPv4 and IPv6, ipc, the abstract namespace and inproc",
    arguments: ["tcp://127.0.0.1:*", "tcp://[::1]:*", "ipc", "ipc://@zg-gen-4", "inproc://a"])
  func echo(endpoint: String) async throws {
    try await Peers.with { peers in
      let (router, dealer) = try await peers.pair(
        .router, .dealer, at: endpoint == "ipc" ? peers.directory.endpoint("a") : endpoint, options: { $0.ipv6 = true })
      await dealer.write([1], [2])
      let message = try await router.has(1)[0]
      #expect(message.dropFirst() == [[1], [2]])
      await router.write(message[0], [3])
      #expect(try await dealer.has(1) == [[[3]]])
    }
  }

  @Test("CORE-42, GEN-8: bind throws libzmq's error with its number, its text and the call that failed")
  func errors() async throws {
    try await Peers.with { peers in
      let (a, b) = (try await peers.peer(.pull, bind: [Peers.any]), try await peers.peer(.pull))
      let taken = await a.boundTo[0]
      let inUse = await #expect(throws: ZMQError.self) { try await b.transport.bind(taken) }
      #expect(inUse?.code == .addressInUse)
      #expect(inUse?.description == "zmq_bind(\(taken)): Address already in use")
      for text in ["udp://127.0.0.1:1", "ws://a:1", "tipc://a", "norm://a:1", "epgm://a:1", "vmci://a", "nonsense", ""]
      {
        let refused = await #expect(throws: ZMQError.self, "\(text)") { try await b.transport.bind(text) }
        #expect(refused?.code == .invalid)
        #expect(refused?.description.hasPrefix("bind to \(text): ") == true)
      }
      let unknown = await #expect(throws: ZMQError.self) { try await b.transport.bind("tcp://no-such-host.invalid:*") }
      #expect(unknown?.code == .noDevice)
      let six = await #expect(throws: ZMQError.self) { try await b.transport.bind("tcp://[::1]:*") }
      #expect(six?.code == .noDevice)
    }
  }

  @Test("CORE-45: a host without an address is reported, once, and the transport goes on") func unresolved()
    async throws
  {
    try await Peers.with { peers in
      let (pull, push) = (try await peers.peer(.pull, bind: [Peers.any]), try await peers.peer(.push))
      try await push.transport.connect("tcp://no-such-host.invalid:1")
      try await eventually("the report") { !push.reported.isEmpty }
      #expect(push.reported[0].contains("cannot connect to tcp://no-such-host.invalid:1, whose host has no address"))
      try await push.transport.connect(pull.boundTo[0])
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
      #expect(push.reported.count == 1)
    }
  }

  @Test("the option ipv6 counts for connections however it was set", arguments: ["property", "option", "later", "off"])
  func ipv6(set: String) async throws {
    try await Peers.with { peers in
      let router = try await peers.peer(.router, bind: ["tcp://[::1]:*"], options: { $0.ipv6 = true })
      let dealer = try await peers.peer(
        .dealer,
        options: { options in
          if set == "property" { options.ipv6 = true }
          if set == "option" { options.set(.ipv6, to: true) }
        })
      if set == "later" { try await dealer.transport.set(.ipv6, to: true) }
      guard set != "off" else {
        #expect(await failure { try await dealer.transport.connect(router.boundTo[0]) }?.code == .invalid)
        return
      }
      try await dealer.transport.connect(router.boundTo[0])
      await dealer.write([1])
      #expect(try await router.has(1)[0][1] == [1])
    }
  }

  @Test("CORE-44, CORE-47: bindings and connections are values: what is done later does not change them")
  func snapshots() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      let (before, none) = (await peer.transport.bindings, await peer.transport.connections)
      let endpoint = try await peer.transport.bind(Peers.any)
      let texts = ["ipc://\(peers.directory.path)/a", "tcp://localhost:1"]
      for text in texts { try await peer.transport.connect(text) }
      #expect(before.isEmpty)
      #expect(none.isEmpty)
      #expect(await peer.transport.bindings == [endpoint])
      #expect(await peer.transport.connections.map(\.description) == texts)
    }
  }

  @Test("CORE-45: connect returns the endpoint; a host may be a name") func connect() async throws {
    try await Peers.with { peers in
      let router = try await peers.peer(.router, bind: [Peers.any])
      let dealer = try await peers.peer(.dealer)
      let text = "tcp://localhost:\(await router.boundTo[0].port)"
      #expect(try await dealer.transport.connect(text).description == text)
      await dealer.write([1])
      #expect(try await router.has(1)[0][1] == [1])
    }
  }

  @Test(
    "connect refuses what can only be bound to, and IPv6 while that is off", arguments: ["tcp://*:1", "tcp://[::1]:1"])
  func connectRefused(text: String) async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.dealer)
      let error = await #expect(throws: ZMQError.self) { try await peer.transport.connect(text) }
      #expect(error?.code == .invalid)
      #expect(await peer.transport.connections.isEmpty)
    }
  }

  @Test("a delegate changes endpoints within its methods, without await") func within() async throws {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull, bind: [Peers.any])
      let endpoint = await pull.boundTo[0]
      let push = try await peers.peer(
        .push,
        doing: { note, transport in
          guard note == .made else { return }
          try transport.connect(endpoint)
          transport.write(["from the first callback"])
        })
      #expect(push.reported.isEmpty)
      #expect(try await pull.has(1) == [[Array("from the first callback".utf8)]])
    }
  }

  @Test("after its end, all that needs the socket throws that it is closed") func closed() async throws {
    try await Peers.with { peers in
      let peer = try await peers.peer(.subscribe)
      await peer.transport.close()
      let calls: [@Sendable (Transport) async throws -> Void] = [
        { try await $0.bind(Peers.any) }, { try await $0.connect("inproc://a") }, { try await $0.unbind("inproc://a") },
        { try await $0.disconnect("inproc://a") }, { try await $0.subscribe([]) }, { try await $0.unsubscribe([]) },
        { _ = try await $0.option(.linger) }, { try await $0.set(.linger, to: .zero) },
      ]
      for call in calls {
        let error = await #expect(throws: ZMQError.self) { try await call(peer.transport) }
        #expect(error?.code == .notSocket)
      }
    }
  }
}
