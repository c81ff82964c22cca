import CZeroMQ
import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

/// libzmq takes these, and then ends the process, never connects, or does something else than what was said.
@Suite("options that libzmq takes and should not", .inTurn(minutes: 3))
struct HarmlessOptionTests {
  private static func refuses(_ what: String, _ body: () async throws -> some Any) async {
    #expect(await failure(body)?.code == .invalid, "\(what)")
  }

  @Test(
    "CORE-31: a router knows a peer by the ID that it gave it; one that another may have is refused",
    arguments: [true, false])
  func routingIDs(byName: Bool) async throws {
    try await Peers.with { peers in
      let (a, b) = (try await peers.peer(.dealer, bind: [Peers.any]), try await peers.peer(.dealer, bind: [Peers.any]))
      let it = try await peers.peer(.router)
      func set(_ id: [UInt8]) async throws {
        try await it.transport.set(byName ? .connectRoutingID : .bytes(ZMQ_CONNECT_ROUTING_ID), to: id)
      }
      try await set([65])
      try await set([65])
      try await it.transport.connect(a.boundTo[0])
      await Self.refuses("the same again") { try await set([65]) }
      try await set([66])
      try await it.transport.connect(b.boundTo[0])
      for (id, peer) in [(UInt8(65), a), (66, b)] {
        await it.write([id], [id])
        #expect(try await peer.has(1) == [[[id]]])
      }
      try await it.transport.disconnect(a.boundTo[0])
      await Self.refuses("that of a connection that has ended, or is about to") { try await set([65]) }
      try await it.transport.connect(a.boundTo[0])
      await Self.refuses("any, when a peer may have brought it") { try await set([67]) }
    }
  }

  @Test("CORE-31: so is one that a peer has brought, or may bring; the socket goes on without")
  func routingIDsOfPeers() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.router, bind: [Peers.any])
      let named = try await peers.peer(.dealer, connect: it.boundTo, options: { $0.set(.routingID, to: [67]) })
      await named.write([1])
      #expect(try await it.has(1) == [[[67], [1]]])
      await Self.refuses("that of a peer") { try await it.transport.set(.connectRoutingID, to: [67]) }

      let other = try await peers.peer(.router)
      try await other.transport.set(.connectRoutingID, to: [67])
      try await other.transport.bind(Peers.any)
      let dealer = try await peers.peer(.dealer, bind: [Peers.any])
      let endpoint = await dealer.boundTo[0]
      await Self.refuses("one that a peer may have brought meanwhile") { try await other.transport.connect(endpoint) }
      #expect(await other.transport.connections.isEmpty)
      try await other.transport.connect(endpoint)
      await dealer.write([2])
      #expect(try await other.has(1)[0].last == [2])
    }
  }

  @Test("CORE-31: an ID is for an address, and for a socket that queues", arguments: ["name", "immediate"])
  func routingIDsWithout(what: String) async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.router, options: { $0.immediate = what == "immediate" })
      try await it.transport.set(.connectRoutingID, to: [65])
      await Self.refuses(what) {
        try await it.transport.connect(what == "name" ? "tcp://localhost:1" : "tcp://127.0.0.1:1")
      }
      #expect(await it.transport.connections.isEmpty)
      // The ID is still there for a connection that can have it.
      try await it.transport.set(.immediate, to: false)
      let dealer = try await peers.peer(.dealer, bind: [Peers.any])
      try await it.transport.connect(dealer.boundTo[0])
      await it.write([65], [1])
      #expect(try await dealer.has(1) == [[[1]]])
    }
  }

  @Test("CORE-31: a connection that cannot be begun leaves its ID to the next one") func failedConnection() throws {
    let it = try Socket(.stream, in: Context())
    try it.set(.connectRoutingID, to: [65])
    #expect(throws: ZMQError.self) { try it.connect("tcp://nonsense") }
    #expect(throws: ZMQError.self, "libzmq would give it the ID") { try it.connectAgain("tcp://127.0.0.1:1") }
    try it.connect("tcp://127.0.0.1:1")
    try it.connectAgain("tcp://127.0.0.1:2")
    #expect(throws: ZMQError.self, "it is given") { try it.set(.connectRoutingID, to: [65]) }
  }

  @Test("a STREAM knows each peer that it connects to by the ID that it gave it") func streams() async throws {
    try await Peers.with { peers in
      let server = try await peers.peer(.stream, bind: [Peers.any])
      let it = try await peers.peer(.stream)
      try await it.transport.set(.connectRoutingID, to: [65])
      try await it.transport.connect(server.boundTo[0])
      #expect(try await it.has(1) == [[[65], []]])
      await Self.refuses("the same again") { try await it.transport.set(.connectRoutingID, to: [65]) }
      await it.write([65], [1, 2])
      #expect(try await server.has(2)[1][1] == [1, 2])
      try await it.transport.bind(Peers.any)
      try await it.transport.set(.connectRoutingID, to: [66])
    }
  }

  @Test("ZMQ_XPUB_MANUAL is refused: libzmq writes to peers that are gone") func manual() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.xPublish).transport
      await Self.refuses("set") { try await it.set(.int32(ZMQ_XPUB_MANUAL), to: 1) }
      try await it.set(.int32(ZMQ_XPUB_MANUAL), to: 0)
    }
  }

  @Test(
    "CORE-31: ZMQ_CONFLATE is refused: libzmq ends the process when a message has several frames",
    arguments: [SocketKind.pull, .subscribe, .dealer, .push, .publish, .router])
  func conflate(kind: SocketKind) async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(kind).transport
      await Self.refuses("set") { try await it.set(.int32(ZMQ_CONFLATE), to: 1) }
      await Self.refuses("in the options") {
        try await peers.peer(kind, options: { $0.set(.int32(ZMQ_CONFLATE), to: 1) })
      }
      try await it.set(.int32(ZMQ_CONFLATE), to: 0)
    }
  }

  @Test("CORE-31: an ID of one's own does not begin with 0; a time below zero is none") func senseless() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      await Self.refuses("with 0") { try await it.set(.routingID, to: [0, 1]) }
      try await it.set(.routingID, to: [1, 0])
      for below in [Duration.nanoseconds(-1), .seconds(-5)] {
        await Self.refuses("heartbeat") {
          try await peers.peer(
            .dealer,
            options: {
              $0.heartbeat = below
              $0.receiveHighWaterMark = 0
            })
        }
        await Self.refuses("keepAlive") { try await peers.peer(.dealer, options: { $0.keepAlive = below }) }
      }
      _ = try await peers.peer(
        .dealer,
        options: {
          $0.heartbeat = .zero
          $0.keepAlive = .zero
        })
    }
  }

  @Test("CORE-42: a STREAM over inproc is refused, to bind and to connect; over tcp it goes on") func inproc()
    async throws
  {
    try await Peers.with { peers in
      let it = try await peers.peer(.stream).transport
      _ = try await peers.peer(.stream, bind: [Peers.any])
      _ = try await peers.peer(.pair, bind: ["inproc://a"])
      await Self.refuses("bind") { try await it.bind("inproc://b") }
      await Self.refuses("connect") { try await it.connect("inproc://a") }
      await Self.refuses("connect before there is one") { try await it.connect("inproc://c") }
      #expect(await it.connections.isEmpty)
      #expect(await it.bindings.isEmpty)
      try await it.bind(Peers.any)
      let pair = try await peers.peer(.pair, connect: ["inproc://c"])
      #expect(await pair.transport.isOpen)
    }
  }

  @Test(
    "CORE-31: the times and numbers of keep-alive are those that Linux takes, else no connection would come to stand")
  func keepAlive() async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      for option in [SocketOption.keepAliveIdle, .keepAliveInterval] {
        for seconds in [1, 32_767] {
          try await it.set(option, to: .seconds(seconds))
          #expect(try await it.option(option) == .seconds(seconds))
        }
        for seconds in [-1, 0, 32_768] {
          await Self.refuses("\(seconds) s") { try await it.set(option, to: .seconds(seconds)) }
        }
      }
      for count in [1, 127] { try await it.set(.keepAliveCount, to: count) }
      for count in [0, 128] { await Self.refuses("\(count)") { try await it.set(.keepAliveCount, to: count) } }
      await Self.refuses("by number") { try await it.set(.int32(ZMQ_TCP_KEEPALIVE_IDLE), to: 40_000) }
      await Self.refuses("in the options") {
        try await peers.peer(.dealer, options: { $0.set(.keepAliveIdle, to: .seconds(40_000)) })
      }
      // The property takes what there is.
      let longest = try await peers.peer(.dealer, options: { $0.keepAlive = .seconds(40_000) })
      #expect(try await longest.transport.option(.keepAliveIdle) == .seconds(32_767))
    }
  }

  @Test("CORE-31: a SOCKS proxy is refused: libzmq ends the process when it does not answer") func socks() async throws
  {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      let proxy = Array("127.0.0.1:1".utf8)
      await Self.refuses("a proxy") { try await it.set(.bytes(ZMQ_SOCKS_PROXY), to: proxy) }
      await Self.refuses("a proxy") {
        try await peers.peer(.dealer, options: { $0.set(.bytes(ZMQ_SOCKS_PROXY), to: proxy) })
      }
    }
  }

  @Test("CORE-31: a time below zero is no time without end", arguments: [-1, -1_000])
  func negative(milliseconds: Int) async throws {
    try await Peers.with { peers in
      let it = try await peers.peer(.dealer).transport
      let time = Duration.milliseconds(milliseconds)
      await Self.refuses("linger") { try await it.set(.linger, to: time) }
      await Self.refuses("reconnect") { try await it.set(.reconnect, to: time) }
      await Self.refuses("connectTimeout") { try await it.set(.connectTimeout, to: time) }
      await Self.refuses("linger") { try await peers.peer(.dealer, options: { $0.linger = time }) }
      try await it.set(.reconnect, to: .zero)
      #expect(try await it.option(.reconnect) == .milliseconds(1), "libzmq takes 0 for not to connect again")
    }
  }

  @Test("errors of the usual options name them") func names() async throws {
    try await Peers.with { peers in
      let error = await failure { try await peers.peer(.dealer, options: { $0.linger = .milliseconds(-1) }) }
      #expect(error?.description == "zmq_setsockopt(ZMQ_LINGER): Invalid argument")
      let other = await failure { try await peers.peer(.dealer, options: { $0.sendHighWaterMark = -1 }) }
      #expect(other?.description == "zmq_setsockopt(ZMQ_SNDHWM): Invalid argument")
    }
  }
}

@Suite("a descriptor made elsewhere to listen at", .inTurn(minutes: 3))
struct ListenerTests {
  @Test("is used by the next bind alone, and closed with it") func listener() async throws {
    try await Peers.with { peers in
      let (descriptor, port) = try RawPeer.listener()
      let pull = try await peers.peer(.pull)
      try await pull.transport.set(.listener, to: Int(descriptor))
      #expect(try await pull.transport.bind(Peers.any).port == port)
      #expect(try await pull.transport.option(.listener) == nil)
      #expect(try await pull.transport.bind(Peers.any).port != port)
      let push = try await peers.peer(.push, connect: ["tcp://127.0.0.1:\(port)"])
      await push.write([1])
      #expect(try await pull.has(1) == [[[1]]])
    }
  }

  @Test("CORE-31: one that does not listen is refused, and so is one for another transport than tcp") func refused()
    async throws
  {
    try await Peers.with { peers in
      let pull = try await peers.peer(.pull).transport
      let silent = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
      defer { close(silent) }
      for descriptor in [0, Int(silent), 1 << 20] {
        let error = await failure { try await pull.set(.listener, to: descriptor) }
        #expect(error?.code == .invalid)
      }
      let (descriptor, _) = try RawPeer.listener()
      try await pull.set(.listener, to: Int(descriptor))
      for endpoint in [peers.directory.endpoint("a"), "inproc://a"] {
        #expect(await failure { try await pull.bind(endpoint) }?.description.contains("which is for tcp") == true)
      }
      // Before it is used its number has become that of another file.
      dup2(0, descriptor)
      defer { close(descriptor) }
      #expect(await failure { try await pull.bind(Peers.any) }?.code == .invalid)
      try await pull.set(.listener, to: nil)
      try await pull.bind(Peers.any)
    }
  }
}
