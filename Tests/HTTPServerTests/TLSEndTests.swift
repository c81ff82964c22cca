import Reactor
import Support
import Testing

@testable import HTTPServer

@Suite("Ends of TLS", .inTurn(minutes: 4), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct TLSEndTests {
  @Test("a client that leaves is gone for the stream as well")
  func leaves() async throws {
    let open = OpenConnections(limit: 9, perAddress: 9)
    try await TLSRig().with(openConnections: open) { fixture, port in
      let client = try HTTPConnection(port: port)
      client.send(get("/stream"))
      await fixture.until { script, _ in script.streams.count == 1 }
      client.reset()
      await fixture.until { script, server in script.streams[0].closures == 1 && server.isIdle }
      try await eventually("the place to be free") { open.count == 0 }
    }
  }

  @Test("a client may leave at the very moment when it is looked at what it has taken")
  func leavesWhenLookedAt() async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      for round in 1...3 {
        let client = try Python.start(
          "tls_half_close.py", ["\(fixture.address.port)", rig.authority.own.certificate, "/stream", "abrupt"])
        await fixture.until { script, _ in script.streams.count == round }
        await fixture.on { script, _ in script.streams[round - 1].put("event") }
        try await fixture.advance(by: .seconds(4), times: 2)
        // A look is due in each turn.
        await fixture.hurry(by: .seconds(2))
        client.write("leave\n")
        await fixture.until { _, server in server.connections == 0 }
        await fixture.hurry(by: .zero)
        _ = try await client.rest()
      }
    }
  }

  @Test(
    "a client that ends its half gets its answer, whether it says so in TLS or not", arguments: ["/later", "/long"],
    [[], ["silent"]])
  func halfClosed(target: String, how: [String]) async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let client = try Python.start(
        "tls_half_close.py", ["\(fixture.address.port)", rig.authority.own.certificate, target] + how)
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.answerWaiting() }
      let output = try await client.rest()
      #expect(output.hasPrefix("HTTP/1.1 200"))
      #expect(output.utf8.count > (target == "/long" ? Script.longText.utf8.count : 0), "\(output.prefix(200))")
    }
  }

  @Test("a client that leaves an endless stream without reading it is let go after the write timeout")
  func unreadStream() async throws {
    let (rig, open) = (try await TLSRig(), OpenConnections(limit: 9, perAddress: 9))
    try await Fixture.with(tls: rig.identity, openConnections: open) { fixture in
      let client = try Python.start(
        "tls_half_close.py", ["\(fixture.address.port)", rig.authority.own.certificate, "/stream", "unread"])
      await fixture.until { script, _ in script.handled == 1 }
      await fixture.on { script, _ in script.streams[0].put(Script.longText) }
      client.write("leave\n")
      await fixture.until { script, server in script.streams[0].closures == 1 && server.connections == 0 }
      try await fixture.advance(by: .seconds(10), times: 4)
      try await eventually("the place to be free") { open.count == 0 }
      await client.destroy()
    }
  }

  @Test("a client that leaves is noticed behind what it has sent and nobody has read")
  func leavesBehindBytes() async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let client = try Python.start(
        "tls_half_close.py", ["\(fixture.address.port)", rig.authority.own.certificate, "/later", "crowded"])
      await fixture.until { script, _ in script.handled == 1 }
      client.write("leave\n")
      _ = try await client.rest()
      await fixture.until { script, server in script.abandoned == 1 }
    }
  }
}
