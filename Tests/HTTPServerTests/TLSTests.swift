import Reactor
import Support
import Testing

@testable import HTTPServer

@Suite("TLS", .inTurn(minutes: 4), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct TLSTests {
  @Test("answers come, one after the other on a connection, whatever their length and that of the body")
  func answers() async throws {
    var options = ServerOptions()
    options.bodyLimit = 8 << 20
    try await TLSRig().with(options) { _, port in
      try await offThread {
        let client = try HTTPConnection(port: port)
        for length in [0, 1, 16_383, 16_384, 16_385, 100_000, 8 << 20] {
          let body = String(repeating: "y", count: length)
          client.send(post("/echo", body))
          #expect(try client.reply().body == body)
        }
        client.send(get("/long"))
        #expect(try client.reply().body.utf8.count == Script.longText.utf8.count)
        client.send(get("/a") + get("/b"))
        #expect(try client.reply().body == "/a 0")
        #expect(try client.reply().body == "/b 0")
      }
    }
  }

  @Test("events come at once, and the end of a stream is told")
  func stream() async throws {
    var options = ServerOptions()
    options.streamPath = "/stream"
    try await TLSRig().with(options) { fixture, port in
      let client = try HTTPConnection(port: port)
      client.send(get("/stream"))
      #expect(try await offThread { try client.head() }.status == 200)
      for number in 0..<20 {
        await fixture.on { script, _ in script.streams[0].put("event \(number)") }
        #expect(try await offThread { try client.chunkText() } == "event \(number)")
      }
      await fixture.on { script, _ in script.streams[0].end() }
      #expect(try await offThread { try client.chunk() } == nil)
    }
  }

  @Test("a reader that stands still holds up nobody, and its connection ends")
  func slowReader() async throws {
    let open = OpenConnections(limit: 9, perAddress: 9)
    try await TLSRig().with(openConnections: open) { fixture, port in
      let slow = try HTTPConnection(port: port, receiveBuffer: 4_096)
      slow.send(get("/long"))
      await fixture.until { script, _ in script.handled == 1 }
      for _ in 0..<20 {
        try await offThread {
          let other = try HTTPConnection(port: port)
          other.send(get("/"))
          #expect(try other.reply().status == 200)
        }
      }
      try await eventually("the others to be gone") { open.count == 1 }
      // A client's machine may hold what it took before.
      try await fixture.advance(by: .seconds(10), times: 30)
      await fixture.until { _, server in server.connections == 0 && server.isIdle }
      #expect(open.count == 0)
      withExtendedLifetime(slow) {}
    }
  }

  @Test("one that reads steadily through a small window goes on for many times the write timeout")
  func steadyReader() async throws {
    var options = ServerOptions()
    options.writeTimeout = .seconds(2)
    try await TLSRig().with(options) { fixture, port in
      let client = try HTTPConnection(port: port, receiveBuffer: 4_096)
      client.send(get("/long"))
      for _ in 0..<60 {
        _ = try await offThread { try client.read(count: 4_000) }
        try await fixture.advance(by: .milliseconds(200), times: 1)
      }
      #expect(await fixture.on { _, server in server.connections == 1 && !server.isIdle })
    }
  }

  @Test("a client that does not speak is closed at the read timeout, and counted", arguments: [[], [0x16, 3, 1]])
  func silent(bytes: [UInt8]) async throws {
    let (rig, open) = (try await TLSRig(), OpenConnections(limit: 9, perAddress: 9))
    try await Fixture.with(tls: rig.identity, openConnections: open) { fixture in
      let client = try fixture.connect()
      client.send(bytes)
      await fixture.until { _, server in server.connections == 1 }
      try await fixture.advance(by: .seconds(9), times: 1)
      #expect(open.count == 1)
      try await fixture.advance(by: .seconds(2), times: 2)
      await fixture.until { _, server in server.connections == 0 }
      try await eventually("the place to be free") { open.count == 0 }
      #expect(rig.identity.record == TLSIdentity.Record(completed: 0, failed: 1))
    }
  }

  @Test("a client that speaks HTTP without TLS is told to speak TLS")
  func plain() async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let client = try fixture.connect()
      client.send(get("/"))
      let reply = try await offThread { try client.reply() }
      #expect(reply.status == 400)
      #expect(reply.headers["content-type"] == "application/problem+json")
      #expect(reply.json["detail"].text?.contains("https://") == true)
      #expect(try await offThread { try client.isAtEnd() })
    }
  }

  @Test("connections beyond a limit are told so, and a place is given back when the client's own socket is closed")
  func limits() async throws {
    let open = OpenConnections(limit: 2, perAddress: 9)
    try await TLSRig().with(ServerOptions.accepting(), openConnections: open) { _, port in
      try await offThread {
        let clients = try (0..<2).map { _ in try HTTPConnection(port: port) }
        for client in clients {
          client.send(get("/"))
          #expect(try client.reply().status == 200)
        }
        for (target, status) in [("/", 503), ("/live", 200)] {
          let beyond = try HTTPConnection(port: port)
          beyond.send(get(target))
          #expect(try beyond.reply().status == status)
          #expect(try beyond.isAtEnd())
        }
        for client in clients { client.disconnect() }
      }
      try await eventually("the places to be free") { open.count == 0 }
    }
  }

  @Test(
    "versions before 1.2 and weak ciphers are refused",
    arguments: [
      ["-tls1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
      ["-tls1_2", "-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
      ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"],
      ["-alpn", "h2"],
    ])
  func refused(arguments: [String]) async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let output = try await TestAuthority.run(
        "openssl", ["s_client", "-connect", "127.0.0.1:\(fixture.address.port)"] + arguments
      ).output
      #expect(output.contains("Cipher is (NONE)") || output.contains("alert"), "\(output)")
      try await eventually("the failure to be counted") { rig.identity.record.failed > 0 }
      #expect(rig.identity.record.completed == 0)
    }
  }

  @Test(
    "versions 1.2 and 1.3 are spoken, and http/1.1 is what is spoken over them",
    arguments: [
      ["-tls1_2"], ["-tls1_3"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
      ["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
    ])
  func spoken(arguments: [String]) async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let output = try await TestAuthority.run(
        "openssl",
        [
          "s_client", "-connect", "127.0.0.1:\(fixture.address.port)", "-CAfile", rig.authority.own.certificate,
          "-verify_return_error", "-alpn", "h2,http/1.1",
        ] + arguments
      ).output
      #expect(output.contains("ALPN protocol: http/1.1"), "\(output)")
      #expect(output.contains("Verify return code: 0"), "\(output)")
    }
  }

  @Test("a client that changes its keys is heard on")
  func keyUpdate() async throws {
    let rig = try await TLSRig()
    try await Fixture.with(tls: rig.identity) { fixture in
      let output = try await Python.start("tls_key_update.py", ["\(fixture.address.port)"]).rest()
      #expect(output.contains("KEYUPDATE"), "\(output)")
      #expect(output.contains("/x 0"), "\(output)")
    }
  }

  @Test("a new certificate is shown to those who come then; open connections go on")
  func replaced() async throws {
    let rig = try await TLSRig()
    try await rig.with { fixture, port in
      let client = try HTTPConnection(port: port)
      func ask() async throws -> Int {
        client.send(get("/"))
        return try await offThread { try client.reply() }.status
      }
      #expect(try await ask() == 200)
      let next = try await rig.authority.issue("successor")
      rig.identity.credentials = try TLSCredentials(certificate: next.certificateText, key: next.keyText)
      #expect(try await ask() == 200)
      #expect(try await rig.handshake(fixture).contains("subject=CN=successor"))
    }
  }

  @Test("a certificate and a key that do not go together are refused")
  func mismatch() async throws {
    let directory = try TemporaryDirectory()
    let authority = try await TestAuthority(in: directory)
    let (one, other) = (try await authority.issue("one"), try await authority.issue("other"))
    #expect(throws: HTTPServerError.self) {
      try TLSCredentials(certificate: one.certificateText, key: other.keyText)
    }
    #expect(throws: HTTPServerError.self) { try TLSCredentials(certificate: "", key: one.keyText) }
    #expect(throws: HTTPServerError.self) {
      try TLSCredentials(
        certificate: one.certificateText, key: one.keyText, clients: ClientAuthorities(certificates: "nothing"))
    }
  }

  @Test("a stop sends what was answered")
  func stop() async throws {
    try await TLSRig().with { fixture, port in
      let client = try HTTPConnection(port: port)
      client.send(get("/later"))
      await fixture.until { script, _ in script.waiting.count == 1 }
      await fixture.on { script, server in
        script.answerWaiting()
        server.stop()
        #expect(server.connections == 0)
      }
      #expect(try await offThread { try client.reply() }.body == "later")
    }
  }
}
