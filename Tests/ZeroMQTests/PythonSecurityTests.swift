import Reactor
import Support
import Testing

@testable import ZeroMQ

@Suite("security with pyzmq", .inTurn(minutes: 3), .enabled(if: Python.isThere, Comment(rawValue: Python.comment)))
struct PythonSecurityTests {
  private func peer(_ options: JSON) throws -> Subprocess { try Python.start("peer_security.py", ["\(options)"]) }

  private func line(of peer: Subprocess) async throws -> JSON {
    let text = try await peer.line()
    return try #require(text.flatMap { JSON($0) })
  }

  private static func texts(_ pair: CurveKeyPair) -> [JSON] {
    [.string("\(pair.publicKey)"), .string(pair.secretKey.text)]
  }

  @Test("its clients of CURVE and PLAIN get in, or are told 400", arguments: [true, false])
  func clients(isCurve: Bool) async throws {
    try await GuardedStations.with { it in
      let (server, known, unknown) = (try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair())
      await it.authenticator.allow(AllowList(keys: [known.publicKey: "py"], passwords: ["py": "secret"]), in: "d")
      let (station, endpoint) = try await it.server(
        isCurve ? .curveServer(server, domain: "d") : .plainServer(domain: "d"))
      func options(_ pair: CurveKeyPair, _ password: String) -> JSON {
        let key = JSON.string("\(server.publicKey)")
        return isCurve
          ? ["connect": .string(endpoint), "curve": .array(Self.texts(pair) + [key])]
          : ["connect": .string(endpoint), "plain": ["py", .string(password)]]
      }
      let refused = try peer(options(unknown, "wrong"))
      #expect(try await line(of: refused) == ["event": "HANDSHAKE_FAILED_AUTH", "value": 400])
      #expect(try await it.denied([.refused])[0].address == "127.0.0.1")
      await refused.destroy()
      let allowed = try peer(options(known, "secret"))
      #expect(try await line(of: allowed)["event"] == "HANDSHAKE_SUCCEEDED")
      let message = try await station.has(1)[0]
      #expect(message[1] == Array("hello".utf8))
      #expect(station.users.withLock { $0 } == ["py"])
      #expect(try await station.send([message[0], Array("hi".utf8)]))
      #expect(try await line(of: allowed) == ["message": ["hi"]])
      await allowed.destroy()
    }
  }

  @Test("clients of CURVE and PLAIN get into its servers, or are told 400", arguments: [true, false])
  func servers(isCurve: Bool) async throws {
    try await Stations.with { stations in
      let (server, known, unknown) = (try CurveKeyPair(), try CurveKeyPair(), try CurveKeyPair())
      let process = try peer(
        isCurve
          ? [
            "bind": true, "domain": "d", "curve": .array(Self.texts(server)),
            "keys": .array([.string("\(known.publicKey)")]),
          ] : ["bind": true, "domain": "d", "plain": ["me": "secret"]])
      let endpoint = try #require(try await line(of: process)["endpoint"].text)
      func client(_ pair: CurveKeyPair, _ password: Password) async throws -> Station {
        let security = SocketSecurity.curve(pair, server: server.publicKey)
        return try await stations.open(.dealer, .with(isCurve ? security : .plain(user: "me", password: password)))
      }
      let refused = try await client(unknown, "wrong")
      let monitor = try #require(try await refused.monitor())
      try await refused.connect(endpoint)
      let event = try await monitor.first { if case .handshakeRefused = $0 { true } else { false } }
      #expect(event.kind == .handshakeRefused(.refused))
      await refused.close()
      let allowed = try await client(known, "secret")
      try await allowed.connect(endpoint)
      try await allowed.sees([.connected])
      #expect(try await allowed.send([Array("ping".utf8)]))
      let answer = try await allowed.has(1)[0].map { String(decoding: $0, as: UTF8.self) }
      #expect(answer[0] == "ping")
      // pyzmq names users of CURVE by their keys.
      #expect(answer[1] == (isCurve ? "\(known.publicKey)" : "me"))
      await process.destroy()
    }
  }
}
