import Reactor
import Support
import Testing

@testable import ZeroMQ

/// An authenticator with the sockets that ask it, and what it has told.
struct GuardedStations: Sendable {
  let stations: Stations
  let authenticator: Authenticator
  let denials: Guarded<[Denial]>

  static func with(
    deadline: Duration = .seconds(1), pending: Int = 1_000, _ body: (GuardedStations) async throws -> Void
  ) async throws {
    try await Stations.with { stations in
      let denials = Guarded<[Denial]>([])
      var options = Authenticator.Options()
      (options.deadline, options.pending) = (deadline, pending)
      options.denied = { denial in denials.withLock { $0.append(denial) } }
      let authenticator = try await Authenticator.open(in: stations.context, on: stations.reactor, options: options)
      try await body(GuardedStations(stations: stations, authenticator: authenticator, denials: denials))
      await authenticator.close()
    }
  }

  /// A router that asks.
  func server(
    _ security: SocketSecurity, at endpoint: String = "tcp://127.0.0.1:*"
  ) async throws -> (Station, String) {
    let station = try await stations.open(.router, .with(security))
    return (station, try await station.bind(endpoint))
  }

  func client(_ security: SocketSecurity, to endpoint: String) async throws -> Station {
    let station = try await stations.open(.dealer, .with(security))
    try await station.connect(endpoint)
    return station
  }

  func denied(_ codes: [Denial.Code]) async throws -> [Denial] {
    try await eventually("denials \(codes)") {
      denials.withLock { $0.count >= codes.count && $0.prefix(codes.count).map(\.code) == codes ? $0 : nil }
    }
  }
}

extension SocketOptions {
  static func with(_ security: SocketSecurity) -> SocketOptions {
    var options = SocketOptions()
    options.security = security
    return options
  }
}

extension Monitor {
  /// Waits for an event that fits.
  func first(where fits: (Kind) -> Bool) async throws -> Event {
    for await event in self where fits(event.kind) { return event }
    throw TimedOut("the monitor has ended")
  }
}

@Suite("who may come in", .inTurn(minutes: 3))
struct AuthenticatorTests {
  /// Whether a client gets through: its message arrives, and bears that user.
  private func expect(_ client: Station, reaches server: Station, as user: String?) async throws {
    try await client.sees([.connected])
    #expect(try await client.send([[1, 2, 3]]))
    let message = try #require(try await server.has(1).last)
    #expect(message.last == [1, 2, 3])
    #expect(server.users.withLock { $0.last ?? nil } == user)
    #expect(try await server.send([message[0], [4]]))
    #expect(try await client.has(1) == [[[4]]])
  }

  @Test("CURVE: a key on the list gets in, and its messages bear its user") func curve() async throws {
    try await GuardedStations.with { it in
      let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
      await it.authenticator.allow(AllowList(keys: [client.publicKey: "alice"]), in: "orders")
      let (station, endpoint) = try await it.server(.curveServer(server, domain: "orders"))
      let peer = try await it.client(.curve(client, server: server.publicKey), to: endpoint)
      try await expect(peer, reaches: station, as: "alice")
      #expect(await it.authenticator.counts == .init(allowed: 1))
    }
  }

  @Test("CURVE: another key is refused with 400, which both sides are told, and gets in once it is on the list")
  func curveRefused() async throws {
    try await GuardedStations.with { it in
      let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
      await it.authenticator.allow(AllowList(keys: [try CurveKeyPair().publicKey: "bob"]), in: "orders")
      let (station, endpoint) = try await it.server(.curveServer(server, domain: "orders"))
      let own = try #require(try await station.monitor())
      let peer = try await it.stations.open(.dealer, .with(.curve(client, server: server.publicKey)))
      let monitor = try #require(try await peer.monitor())
      try await peer.connect(endpoint)
      for events in [own, monitor] {
        let event = try await events.first { if case .handshakeRefused = $0 { true } else { false } }
        #expect(event.kind == .handshakeRefused(.refused))
        #expect(try Endpoint(event.endpoint).isSame(as: Endpoint(endpoint)))
      }
      let denial = try await it.denied([.refused])[0]
      #expect(denial == Denial(domain: "orders", address: "127.0.0.1", code: .refused, reason: "not allowed"))
      #expect(await it.authenticator.counts.denied[.refused] ?? 0 >= 1)
      try await eventually("both are told") {
        peer.events.withLock { $0.contains(.refused) } && station.events.withLock { $0.contains(.refused) }
      }
      #expect(await station.connected == 0)
      // What the list says now holds for the next try, which the client makes by itself.
      await it.authenticator.allow(AllowList(keys: [client.publicKey: "carol"]), in: "orders")
      try await eventually("it is in") { await peer.connected == 1 }
      #expect(try await peer.send([[1]]))
      _ = try await station.has(1)
      #expect(station.users.withLock { $0 } == ["carol"])
    }
  }

  @Test("PLAIN: the right password gets in; a wrong one, and an unknown user, are refused with 400")
  func plain() async throws {
    try await GuardedStations.with { it in
      await it.authenticator.allow(AllowList(passwords: ["alice": "secret"]), in: "orders")
      let (station, endpoint) = try await it.server(.plainServer(domain: "orders"))
      for (user, password) in [("alice", "Secret"), ("alice", "secret2"), ("bob", "secret"), ("bob", "x")] {
        let refused = try await it.client(.plain(user: user, password: Password(password)), to: endpoint)
        try await refused.sees([.refused])
        await refused.close()
      }
      #expect(try await it.denied([.refused, .refused, .refused, .refused]).count == 4)
      let peer = try await it.client(.plain(user: "alice", password: "secret"), to: endpoint)
      try await expect(peer, reaches: station, as: "alice")
    }
  }

  @Test("without a mechanism, addresses on the list get in") func null() async throws {
    try await GuardedStations.with { it in
      let (station, endpoint) = try await it.server(.null(domain: "local"))
      let peer = try await it.client(.null, to: endpoint)
      try await peer.sees([.refused])
      await it.authenticator.allow(AllowList(addresses: ["127.0.0.1"]), in: "local")
      try await eventually("it is in") { await peer.connected == 1 }
      #expect(try await peer.send([[1]]))
      _ = try await station.has(1)
      #expect(try await it.denied([.refused])[0].reason == "nobody is let into this domain")
    }
  }

  @Test("a server of CURVE without a domain lets everyone in who knows its key, and nobody else")
  func open() async throws {
    try await GuardedStations.with { it in
      let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
      let (station, endpoint) = try await it.server(.curveServer(server, domain: nil))
      let own = try #require(try await station.monitor())
      let wrong = try await it.client(.curve(client, server: client.publicKey), to: endpoint)
      let event = try await own.first { if case .handshakeBroken = $0 { true } else { false } }
      #expect(event.kind == .handshakeBroken(.cryptographic))
      await wrong.close()
      let peer = try await it.client(.curve(client, server: server.publicKey), to: endpoint)
      try await expect(peer, reaches: station, as: nil)
      #expect(await it.authenticator.counts == .init())
    }
  }

  @Test("a domain is enforced: without an authenticator, and after its end, nobody gets in") func enforced()
    async throws
  {
    try await Stations.with { stations in
      let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
      let keys = AllowList(keys: [client.publicKey: "alice"], passwords: ["alice": "secret"], addresses: ["127.0.0.1"])
      let pairs: [(SocketSecurity, SocketSecurity)] = [
        (.curveServer(server, domain: "d"), .curve(client, server: server.publicKey)),
        (.plainServer(domain: "d"), .plain(user: "alice", password: "secret")), (.null(domain: "d"), .null),
      ]
      for (its, theirs) in pairs {
        var options = SocketOptions.with(its)
        // Without a mechanism, libzmq waits for the end of the handshake when it cannot ask.
        options.handshake = .milliseconds(300)
        let station = try await stations.open(.router, options)
        let own = try #require(try await station.monitor())
        let peer = try await stations.open(.dealer, .with(theirs))
        let endpoint = try await station.bind("tcp://127.0.0.1:*")
        try await peer.connect(endpoint)
        _ = try await own.first { if case .handshakeFailed = $0 { true } else { false } }
        #expect(await station.connected == 0)
        let authenticator = try await Authenticator.open(in: stations.context, on: stations.reactor)
        await authenticator.allow(keys, in: "d")
        try await eventually("it is in") { await peer.connected == 1 }
        await authenticator.close()
        await peer.close()
        try await eventually("it is gone") { await station.connected == 0 }
        let since = try #require(try await station.monitor())
        let late = try await stations.open(.dealer, .with(theirs))
        try await late.connect(endpoint)
        _ = try await since.first { if case .handshakeFailed = $0 { true } else { false } }
        #expect(await station.connected == 0)
      }
    }
  }

  @Test("a context has one authenticator; the next may follow its end, and its drop") func one() async throws {
    try await Stations.with { stations in
      func open() async throws -> Authenticator {
        try await Authenticator.open(in: stations.context, on: stations.reactor)
      }
      do {
        let first = try await open()
        let error = await #expect(throws: ZMQError.self) { try await open() }
        #expect(error?.code == .addressInUse)
        #expect(error?.description.contains("second authenticator") == true)
        await first.close()
        await first.close()
        for _ in 0..<100 { await (try open()).close() }
        _ = try await open()
      }
      _ = try await eventually("another one") { try? await open() }
      // Another kind at its address would end the process.
      let socket = try Socket(.dealer, in: stations.context)
      #expect(throws: ZMQError.self) { try socket.bind("inproc://zeromq.zap.01") }
    }
  }

  @Test("a client whose mechanism is another one is told apart from one that is refused") func mismatch() async throws {
    try await GuardedStations.with { it in
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      let own = try #require(try await station.monitor())
      let client = try await it.client(.null, to: endpoint)
      let event = try await own.first { if case .handshakeBroken = $0 { true } else { false } }
      #expect(event.kind == .handshakeBroken(.mechanismMismatch))
      await client.close()
      #expect(event.description.contains("mechanism mismatch"))
      #expect(await it.authenticator.counts == .init())
    }
  }
}
