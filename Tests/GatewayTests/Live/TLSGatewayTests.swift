import ConfigurationReader
import Foundation
import GatewaySecurity
import HTTPServer
import Reactor
import Support
import Testing

@testable import Gateway

extension TestAuthority {
  /// What a gateway shows, as YAML.
  func tls(_ pair: Pair, _ more: String = "") -> String {
    "tls: { certificate: \(pair.certificate), key: \(pair.key)\(more) }"
  }
}

@Suite("A gateway with TLS", .inTurn(minutes: 4), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct TLSGatewayTests {
  @Test("serves callers by the names of their certificates, as rules say")
  func certificates() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let pair = try await authority.issue("server")
      let (alice, bob) = (
        try await authority.issue("alice", isForClient: true), try await authority.issue("bob", isForClient: true)
      )
      for need in ["optional", "required"] {
        let more = ", client-ca: \(authority.own.certificate), client-certificate: \(need)"
        let gateway = try await rig.gateway(
          Curl.jobs, http: authority.tls(pair, more), auth: "{ rules: [{ allow: { subject: alice, service: jobs } }] }")
        let url = "https://localhost:\(gateway.http.port)/push/jobs/m"
        func ask(_ client: TestAuthority.Pair?, _ more: String...) async throws -> Int {
          let own = client.map { ["--cert", $0.certificate, "--key", $0.key] } ?? []
          return try await Curl.status(url, ["-X", "POST", "--cacert", authority.own.certificate] + own + more)
        }
        #expect(try await ask(alice) == 503)
        #expect(try await ask(bob) == 403)
        #expect(try await ask(nil) == (need == "optional" ? 401 : 0))
        // What a browser would add by itself, for a page of another origin.
        #expect(try await ask(alice, "-H", "Origin: https://elsewhere.example") == 403)
        // A key that is sent counts, and not the certificate.
        #expect(try await ask(alice, "-H", "Authorization: Bearer nothing") == 401)
      }
    }
  }

  @Test(
    "is asked by commands when its certificate is that of the host; else they tell why not, and not the key",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func commands() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let other = try await TestAuthority("other", in: rig.directory)
      let key = APIKey.random()
      let pair = try await authority.issue("server", names: "DNS:localhost")
      let gateway = try await rig.gateway("{}", http: authority.tls(pair), auth: try rig.auth((key, "alice", [])))
      func ask(_ host: String, trusting file: String) async throws -> (output: String, code: Int32) {
        let url = "https://\(host):\(gateway.http.port)"
        let process = try Subprocess(
          "env",
          [
            "ZMQ_GATEWAY_KEY=\(key.text)", "SSL_CERT_FILE=\(file)", try #require(Program.path), "status", "--http", url,
            "--json",
          ],
          complaints: .withOutput)
        return (try await process.rest(), try await process.ended())
      }
      let known = try await ask("localhost", trusting: authority.own.certificate)
      #expect(known.code == 0 && known.output.contains(#""state":"ready""#), "\(known)")
      for (host, file, reason) in [
        ("localhost", other.own.certificate, "issuer is unknown"),
        ("127.0.0.1", authority.own.certificate, "does not match"),
        ("localhost", "/nowhere", "no certificate of an authority could be read from /nowhere"),
      ] {
        let refused = try await ask(host, trusting: file)
        #expect(refused.code == 69 && refused.output.contains(reason), "\(refused)")
      }
      #expect(await gateway.gateway.accounts.accepted == 1)
    }
  }

  @Test("takes back certificates when a reload changes those who are trusted")
  func otherAuthority() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let other = try await TestAuthority("other", in: rig.directory)
      let pair = try await authority.issue("server")
      let alice = try await authority.issue("alice", isForClient: true)
      func http(_ trusted: TestAuthority) -> String {
        authority.tls(pair, ", client-ca: \(trusted.own.certificate)")
      }
      let gateway = try await rig.gateway(Curl.jobs, http: http(authority), threads: 1)
      let tunnel = try await TLSTunnel(to: gateway.http.port, trusting: authority, as: alice)
      rig.cleanup.add { await tunnel.stop() }
      let connection = try HTTPConnection(port: tunnel.port)
      func push() async throws -> Int {
        connection.send("POST", "/push/jobs/m", body: [])
        return try await offThread { try connection.reply() }.status
      }
      #expect(try await push() == 503)
      let yaml = """
        http: { listen: ["127.0.0.1:0"], threads: 1, \(http(other)) }
        grace: 10s
        services: { \(Curl.jobs) }
        """
      let outcome = try await gateway.gateway.reload(Configuration.load(yaml: yaml, file: "test.yaml"))
      #expect(outcome.changed == ["http.tls"])
      // The connection is the same, and what it has shown counts no more.
      #expect(try await push() == 401)
    }
  }

  @Test("drops no connection and fails no call while certificates change under load")
  func reloads() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let pairs = [try await authority.issue("first"), try await authority.issue("second")]
      let gateway = try await rig.gateway(Curl.jobs, http: authority.tls(pairs[0]))
      let tunnel = try await TLSTunnel(to: gateway.http.port, trusting: authority)
      rig.cleanup.add { await tunnel.stop() }
      let isOver = Guarded(false)
      let calls = Guarded([0, 0, 0])
      let fresh = (0..<2).map { index in
        Task {
          let http = HTTPClient(port: tunnel.port)
          while !isOver.withLock({ $0 }) {
            let status = try await http.get("/openapi.json").status
            #expect(status == 200)
            calls.withLock { $0[index] += 1 }
          }
        }
      }
      let kept = Task {
        let connection = try HTTPConnection(port: tunnel.port)
        while !isOver.withLock({ $0 }) {
          connection.send("GET", "/openapi.json")
          let reply = try await offThread { try connection.reply() }
          #expect(reply.status == 200)
          calls.withLock { $0[2] += 1 }
        }
      }
      var round = 0
      while round < 50 || calls.withLock({ $0.contains { $0 < 10 } }), !Task.isCancelled {
        round += 1
        let yaml = """
          http: { listen: ["127.0.0.1:0"], threads: 2, \(authority.tls(pairs[round % 2])) }
          grace: 10s
          services: { \(Curl.jobs) }
          """
        try await gateway.gateway.reload(Configuration.load(yaml: yaml, file: "test.yaml"))
      }
      isOver.withLock { $0 = true }
      for task in fresh + [kept] { try await task.value }
      let samples = try await HTTPClient(port: tunnel.port).get("/metrics").body
      #expect(samples.contains("zmq_gateway_tls_handshakes_total{result=\"failure\"} 0"))
      #expect(samples.contains("zmq_gateway_tls_certificate_end_seconds "))
    }
  }

  @Test(
    "of the program shows a certificate that is renewed, and keeps the one it has when that cannot be used",
    .enabled(if: Program.isThere, "no program is built beside the tests"))
  func program() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let pairs = [try await authority.issue("first"), try await authority.issue("second")]
      func use(_ pair: TestAuthority.Pair) throws {
        // The key first: a pair that does not go together changes nothing.
        for (name, from) in [("key", pair.key), ("cert", pair.certificate)] {
          let new = rig.directory.path + "/new"
          try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: new))
          #expect(chmod(new, 0o600) == 0 && rename(new, rig.directory.path + "/\(name).pem") == 0)
        }
      }
      try use(pairs[0])
      let yaml = """
        http: { listen: ["127.0.0.1:0"], tls: { certificate: cert.pem, key: key.pem, refresh: 100ms } }
        services: { \(Curl.jobs) }
        """
      let process = try Program.start("serve", "--config", try rig.directory.file("gateway.yaml", yaml))
      rig.cleanup.add { await process.destroy() }
      let port = try await process.port()
      func shown() async throws -> String {
        try await TestAuthority.run(
          "openssl",
          ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authority.own.certificate, "-verify_return_error"]
        ).output.replacing(" = ", with: "=")
      }
      #expect(try await shown().contains("subject=CN=first"))
      #expect(
        try await Curl.status("https://localhost:\(port)/live", ["--cacert", authority.own.certificate]) == 200)
      try use(pairs[1])
      try await eventually("the new certificate") { try await shown().contains("subject=CN=second") }
      _ = try rig.directory.file("cert.pem", "nothing")
      process.signal(SIGHUP)
      while let line = try await process.line(), !line.contains("cannot reload") {}
      #expect(try await shown().contains("subject=CN=second"))
      try use(pairs[0])
      process.signal(SIGHUP)
      try await eventually("the certificate after a reload") { try await shown().contains("subject=CN=first") }
      process.signal(SIGTERM)
      #expect(try await process.ended() == 0)
    }
  }

  @Test("passes the checks of Scripts/check-tls")
  func script() async throws {
    try await Rig.with { rig in
      let authority = try await TestAuthority(in: rig.directory)
      let gateway = try await rig.gateway(Curl.jobs, http: authority.tls(try await authority.issue("server")))
      let (output, code) = try await TestAuthority.run(
        Repository.path("Scripts/check-tls"),
        ["localhost:\(gateway.http.port)", authority.own.certificate])
      #expect(code == 0, "\(output)")
    }
  }

  @Test("is configured with files that can be used, and a key that nobody else may read")
  func configuration() async throws {
    let directory = try TemporaryDirectory()
    let authority = try await TestAuthority(in: directory)
    let (pair, other) = (try await authority.issue("server"), try await authority.issue("other"))
    func faults(_ tls: String, _ more: String = "") -> String {
      do throws(ConfigurationErrors) {
        _ = try Configuration.load(yaml: "http: { \(tls) }\nservices: {}\n\(more)", file: "a.yaml")
        return ""
      } catch {
        return error.description
      }
    }
    #expect(faults(authority.tls(pair)) == "")
    #expect(
      faults(authority.tls(pair), "auth: { rules: [{ allow: {} }] }").contains("need keys, jwt or http.tls.client-ca"))
    #expect(
      faults(authority.tls(pair, ", client-ca: \(authority.own.certificate)"), "auth: { rules: [{ allow: {} }] }") == ""
    )
    #expect(faults(authority.tls(pair, ", client-certificate: required")).contains("has no effect without client-ca"))
    #expect(faults("tls: { certificate: \(pair.certificate), key: \(other.key) }").contains("http.tls"))
    #expect(faults("tls: { key: \(other.key) }").contains("has no certificate"))
    #expect(faults("listen: 0.0.0.0:1, \(authority.tls(pair))").contains("is reachable from other machines"))
    #expect(faults("listen: 0.0.0.0:1, \(authority.tls(pair, ", client-ca: \(authority.own.certificate)"))") == "")
    #expect(chmod(pair.key, 0o640) == 0)
    #expect(faults(authority.tls(pair)).contains("chmod 600 it"))
  }
}
