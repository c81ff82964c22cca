import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("who may come in, when a closure decides", .inTurn(minutes: 3))
struct AuthenticatorDecisionTests {
  private static let alice = SocketSecurity.plain(user: "alice", password: "secret")
  private static func user(of request: AuthenticationRequest) -> String {
    if case .plain(let user, _) = request.credentials { user } else { "" }
  }

  @Test("it gets what the peer shows, and its user and properties are those of the messages") func decides()
    async throws
  {
    try await GuardedStations.with { it in
      let asked = Guarded<[AuthenticationRequest]>([])
      await it.authenticator.decide(in: "d") { request in
        asked.withLock { $0.append(request) }
        return .allow(user: Self.user(of: request) + "!", properties: ["Role": "admin"])
      }
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      let peer = try await it.client(Self.alice, to: endpoint)
      try await peer.sees([.connected])
      #expect(try await peer.send([[1]]))
      _ = try await station.has(1)
      #expect(station.users.withLock { $0 } == ["alice!"])
      #expect(
        asked.withLock { $0 }
          == [.init(domain: "d", address: "127.0.0.1", credentials: .plain(user: "alice", password: "secret"))])
    }
  }

  @Test("over ipc it is told the user, the group and the process of the peer") func processes() async throws {
    let directory = try TemporaryDirectory()
    try await GuardedStations.with { it in
      let asked = Guarded<[String]>([])
      await it.authenticator.decide(in: "d") { request in
        asked.withLock { $0.append(request.address) }
        return .allow(user: "")
      }
      let (station, endpoint) = try await it.server(.null(domain: "d"), at: directory.endpoint("a"))
      let peer = try await it.client(.null, to: endpoint)
      try await station.sees([.connected])
      try await peer.sees([.connected])
      #expect(asked.withLock { $0 } == ["localhost:\(getuid()):\(getgid()):\(getpid())"])
    }
  }

  private struct Unreachable: Error {}

  @Test("one that throws is told 500, one that says no 400, and one that answers what cannot be sent 500")
  func fails() async throws {
    try await GuardedStations.with { it in
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      let decisions: [(Denial.Code, Authenticator.Decision)] = [
        (.failed, { _ in throw Unreachable() }), (.refused, { _ in .deny }), (.failed, { _ in .allow(user: "a\0b") }),
        (.failed, { _ in .allow(user: "a", properties: ["no name": ""]) }),
        (.failed, { _ in .allow(user: "a", properties: ["Socket-Type": "PUB"]) }),
      ]
      for (index, (code, decision)) in decisions.enumerated() {
        await it.authenticator.decide(in: "d", decision)
        let peer = try await it.stations.open(.dealer, .with(Self.alice))
        let monitor = try #require(try await peer.monitor())
        try await peer.connect(endpoint)
        let event = try await monitor.first { if case .handshakeRefused = $0 { true } else { false } }
        #expect(event.kind == .handshakeRefused(code))
        await peer.close()
        #expect(try await it.denied(decisions[...index].map(\.0)).count == index + 1)
      }
      #expect(await station.connected == 0)
    }
  }

  @Test("a slow one lets nobody in at its deadline, and nobody waits for it") func slow() async throws {
    try await GuardedStations.with(deadline: .milliseconds(200)) { it in
      let (began, cancelled) = (Tally(), Tally())
      await it.authenticator.decide(in: "d") { request in
        guard Self.user(of: request) == "slow" else { return .allow(user: Self.user(of: request)) }
        began.countUp()
        await withTaskCancellationHandler {
          // For ever, but for its cancellation.
          let never = Waiter<Void>()
          await withTaskCancellationHandler {
            await never.wait()
          } onCancel: {
            never.resume(())
          }
        } onCancel: {
          cancelled.countUp()
        }
        return .allow(user: "late")
      }
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      let own = try #require(try await station.monitor())
      let slow = try await it.client(.plain(user: "slow", password: "x"), to: endpoint)
      await began.reaches(1)
      let quick = try await it.client(Self.alice, to: endpoint)
      try await quick.sees([.connected])
      // It came in while the other was still waiting.
      #expect(it.denials.withLock { $0 }.isEmpty)
      let event = try await own.first { if case .handshakeRefused = $0 { true } else { false } }
      #expect(event.kind == .handshakeRefused(.temporary))
      let denial = try await it.denied([.temporary])[0]
      #expect(denial.reason.contains("0.2 seconds"))
      await cancelled.reaches(1)
      try await eventually("it has returned") { await it.authenticator.pendingCount == 0 }
      // Its late answer is not sent: libzmq would end the process over a second one.
      #expect(await it.authenticator.counts.allowed == 1)
      #expect(await slow.connected == 0)
      await slow.close()
    }
  }

  @Test("as many as are allowed may wait, and one more is turned away for the moment") func bounded() async throws {
    try await GuardedStations.with(deadline: .seconds(30), pending: 2) { it in
      let (began, gate) = (Tally(), Tally())
      await it.authenticator.decide(in: "d") { request in
        began.countUp()
        await gate.reaches(1)
        return .allow(user: Self.user(of: request))
      }
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      var peers: [Station] = []
      for count in 1...2 {
        peers.append(try await it.client(Self.alice, to: endpoint))
        await began.reaches(count)
      }
      #expect(await it.authenticator.pendingCount == 2)
      let third = try await it.client(Self.alice, to: endpoint)
      let denial = try await it.denied([.temporary])[0]
      #expect(denial.reason.contains("2 decisions"))
      await third.close()
      gate.countUp()
      for peer in peers { try await peer.sees([.connected]) }
      #expect(await station.connected == 2)
      #expect(await it.authenticator.pendingCount == 0)
    }
  }

  @Test("garbage at its address is counted, answered where that can be, and changes nothing") func garbage()
    async throws
  {
    try await GuardedStations.with { it in
      let key = try CurveKeyPair()
      await it.authenticator.allow(AllowList(passwords: ["alice": "secret"]), in: "d")
      let stranger = try await it.stations.open(.dealer)
      try await stranger.connect("inproc://zeromq.zap.01")
      let texts = [
        [], [""], ["", "1.0"], ["", "1.0", "7", "d"], ["", "9", "7", "d", "", "", "NULL"], ["x", "1.0", "7"],
      ]
      for frames in texts where !frames.isEmpty { #expect(try await stranger.send(frames.map { Array($0.utf8) })) }
      for seed in 0..<500 {
        var random = SplitMix(state: UInt64(seed))
        let frames = (0..<Int.random(in: 1...12, using: &random)).map { _ in
          [UInt8]((0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...255, using: &random) })
        }
        #expect(try await stranger.send(frames))
      }
      #expect(
        try await stranger.send(["", "1.0", "8", "d", "", "", "CURVE"].map { Array($0.utf8) } + [key.publicKey.bytes]))
      // Some of the random ones have an answer too.
      let last = ["", "1.0", "8", "400", "not allowed", "", ""].map { Array($0.utf8) }
      try await eventually("the last answer") { stranger.messages.withLock { $0.last == last } }
      let answers = stranger.messages.withLock { $0 }.map { $0.map { String(decoding: $0, as: UTF8.self) } }
      #expect(answers[0] == ["", "1.0", "7", "500", "no question of ZAP 1.0", "", ""])
      #expect(answers[1] == answers[0])
      #expect(await it.authenticator.counts.malformed == texts.count - 1 + 500)
      let (station, endpoint) = try await it.server(.plainServer(domain: "d"))
      let peer = try await it.client(Self.alice, to: endpoint)
      try await peer.sees([.connected])
      #expect(await station.connected == 1)
    }
  }
}
