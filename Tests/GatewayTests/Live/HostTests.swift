import Gateway
import Support
import Testing

@Suite("The host that is asked for", .inTurn(minutes: 3))
struct HostTests {
  /// A gateway without services.
  private func gateway(_ rig: Rig, _ http: String) async throws -> LiveGateway {
    let yaml =
      "http: { threads: 1, \(http) }\nauth: none\nservices: { s: { pattern: rpc, connect: [\"ipc:///nowhere/a\"] } }"
    let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
    let live = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
    rig.cleanup.add { await live.stop() }
    return live
  }

  private func reply(_ gateway: LiveGateway, _ head: String) async throws -> HTTPReply {
    let connection = try HTTPConnection(port: gateway.http.port)
    defer { connection.disconnect() }
    connection.send(head + "\r\n\r\n")
    return try await offThread { try connection.reply() }
  }

  private func status(_ gateway: LiveGateway, of host: String) async throws -> Int {
    try await reply(gateway, "GET /live HTTP/1.1\r\nHost: \(host)").status
  }

  static let always = [
    "localhost", "LocalHost", "localhost:1", "localhost.", "localhost.:80", "a.localhost", "a.b.LOCALHOST:8080",
    "127.0.0.1", "127.0.0.1:8080", "10.0.0.1", "255.255.255.255", "[::1]", "[::1]:80", "[2001:DB8::1]",
    "[::ffff:127.0.0.1]:1",
  ]
  static let foreign = [
    "evil.example", "evil.example:8080", "evil%2eexample", "evil%2Eexample:80", "x.", "ai.:80", "",
    "localhost.evil.example", ".localhost", ".localhost:80", ".x", "127.0.0.1.evil.example",
    "256.0.0.1",
    "1.2.3", "127.1", "0x7f.0.0.1", "1.2.3.4.5", "api.example.evil.example", "sub.api.example", "api.exampl",
    "pi.example",
    // RFC 3986 allows them.
    "localhost,x", "x,localhost", "x;y", "x!", "(x)", "x%41", "~",
  ]
  static let listed = [
    "api.example", "API.Example", "api.example:443", "api.example.", "api.example.:80",
  ]

  @Test("is an address, localhost, or listed, on loopback")
  func loopback() async throws {
    try await Rig.with { rig in
      let bare = try await gateway(rig, #"listen: ["127.0.0.1:0"]"#)
      let told = try await gateway(rig, #"listen: ["127.0.0.1:0"], hosts: ["Api.Example.", other_host]"#)
      for host in Self.always {
        #expect(try await status(bare, of: host) == 200, "\(host)")
        #expect(try await status(told, of: host) == 200, "\(host)")
      }
      for host in Self.foreign {
        #expect(try await status(bare, of: host) == 421, "\(host)")
        #expect(try await status(told, of: host) == 421, "\(host)")
      }
      for host in Self.listed {
        #expect(try await status(bare, of: host) == 421, "\(host)")
        #expect(try await status(told, of: host) == 200, "\(host)")
      }
      for host in ["x", "evillocalhost", "gateway:8080"] {
        #expect(try await status(bare, of: host) == 200, "\(host)")
        #expect(try await status(told, of: host) == 421, "\(host)")
      }
      #expect(try await status(bare, of: "other_host") == 200)
      // As a browser, which a page could lead here by a search domain's name.
      for line in ["Accept-Encoding: gzip", "ACCEPT-ENCODING:", "Origin: http://x", "Sec-Fetch-Site: same-origin"] {
        #expect(try await status(bare, of: "x\r\n\(line)") == 421, "\(line)")
        #expect(try await status(told, of: "other_host\r\n\(line)") == 200, "\(line)")
        #expect(try await status(bare, of: "localhost\r\n\(line)") == 200, "\(line)")
      }
      #expect(try await status(told, of: "OTHER_HOST") == 200)
    }
  }

  @Test("is any where other machines reach the gateway, until some are listed")
  func elsewhere() async throws {
    try await Rig.with { rig in
      let bare = try await gateway(rig, #"listen: ["0.0.0.0:0"]"#)
      let told = try await gateway(rig, #"listen: ["0.0.0.0:0"], hosts: [api.example, other_host]"#)
      for host in Self.always + Self.foreign + Self.listed {
        #expect(try await status(bare, of: host) == 200, "\(host)")
      }
      for host in Self.always + Self.listed { #expect(try await status(told, of: host) == 200, "\(host)") }
      for host in Self.foreign { #expect(try await status(told, of: host) == 421, "\(host)") }
    }
  }

  @Test("is looked at before the path, the method and the rest; the problem says what to write")
  func first() async throws {
    try await Rig.with { rig in
      let gateway = try await gateway(rig, #"listen: ["127.0.0.1:0"]"#)
      for line in ["GET /nowhere", "OPTIONS /live", "OPTIONS *", "POST /rpc/s/a", "PUT /ready"] {
        let reply = try await reply(
          gateway, "\(line) HTTP/1.1\r\nHost: Evil.example:80\r\nOrigin: null\r\nContent-Length: 0")
        #expect(reply.status == 421, "\(line)")
        #expect(reply.json["code"] == "misdirected")
        #expect(reply.json["detail"].text?.hasSuffix(#"http: { hosts: ["evil.example"] }"#) == true)
      }
    }
  }

  @Test("is the one in the target of an absolute form, and may be left out in HTTP/1.0")
  func forms() async throws {
    try await Rig.with { rig in
      let gateway = try await gateway(rig, #"listen: ["127.0.0.1:0"]"#)
      let absolute = "HTTP/1.1\r\nHost:"
      #expect(try await reply(gateway, "GET http://evil.example/live \(absolute) localhost").status == 421)
      #expect(try await reply(gateway, "GET http://localhost/live \(absolute) evil.example").status == 200)
      #expect(try await reply(gateway, "GET http://localhost?a=1 \(absolute) localhost").json["services"] != .null)
      #expect(try await reply(gateway, "GET /live HTTP/1.0").status == 200)
      #expect(try await reply(gateway, "GET /live HTTP/1.0\r\nHost: evil.example").status == 421)
      // Of the same host is a page whose origin is the target's.
      let post = "\r\nOrigin: http://localhost:81\r\nContent-Length: 0"
      #expect(try await reply(gateway, "POST http://localhost:81/live \(absolute) localhost:82\(post)").status == 405)
      #expect(try await reply(gateway, "POST http://localhost:82/live \(absolute) localhost:81\(post)").status == 403)
    }
  }
}
