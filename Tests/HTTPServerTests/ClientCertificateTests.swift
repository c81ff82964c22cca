import Support
import Testing

@testable import HTTPServer

/// Clients that show a certificate.
@Suite("Client certificates", .inTurn(minutes: 3), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct ClientCertificateTests {
  /// Asks who is asking; nil when the handshake fails.
  private func who(
    _ rig: TLSRig, _ fixture: Fixture, _ client: TestAuthority.Pair? = nil, _ more: String...
  ) async throws -> String? {
    let own = client.map { ["--cert", $0.certificate, "--key", $0.key] } ?? []
    let (output, code) = try await TestAuthority.run(
      "curl",
      ["-sS", "--cacert", rig.authority.own.certificate, "https://localhost:\(fixture.address.port)/who"] + own + more)
    return code == 0 ? output : nil
  }

  @Test("are taken from the authority, in their time and for clients; whoever has none is nobody, or refused")
  func judged() async throws {
    for areRequired in [false, true] {
      let rig = try await TLSRig { authority in
        ClientAuthorities(certificates: try authority.own.certificateText, areRequired: areRequired)
      }
      try await Fixture.with(tls: rig.identity) { fixture in
        let good = try await rig.authority.issue("alice", isForClient: true)
        #expect(try await who(rig, fixture, good) == "alice")
        #expect(try await who(rig, fixture, good, "--tls-max", "1.2") == "alice")
        #expect(try await who(rig, fixture) == (areRequired ? nil : "nobody"))
        let bad = [
          try await rig.authority.issue("late", isForClient: true, days: -1),
          try await rig.authority.issue("machine", isForClient: false),
          try await TestAuthority("stranger", in: rig.directory).issue("mallory", isForClient: true),
        ]
        for client in bad { #expect(try await who(rig, fixture, client) == nil) }
      }
    }
  }

  @Test(
    "name their clients by what is chosen",
    arguments: zip(
      [ClientAuthorities.Name.commonName, .dns, .email, .uri],
      ["alice", "a.example", "alice@a.example", "spiffe://a/alice"]))
  func named(kind: ClientAuthorities.Name, subject: String) async throws {
    let rig = try await TLSRig { authority in
      ClientAuthorities(certificates: try authority.own.certificateText, name: kind)
    }
    try await Fixture.with(tls: rig.identity) { fixture in
      let client = try await rig.authority.issue(
        "alice", names: "URI:spiffe://a/alice,DNS:a.example,email:alice@a.example", isForClient: true)
      #expect(try await who(rig, fixture, client) == subject)
      guard kind == .commonName else {
        // Where the first is longer than there is room for, no later one takes its place.
        let tag = kind == .email ? "email" : kind.rawValue.uppercased()
        let long = try await rig.authority.issue(
          "long", names: "\(tag):\(String(repeating: "a", count: 600)).x,\(tag):b.x", isForClient: true)
        #expect(try await who(rig, fixture, long) == "nameless")
        return
      }
      for name in ["Smith, John", "a=b;c", "\"quoted\""] {
        #expect(try await who(rig, fixture, try await rig.authority.issue(name, isForClient: true)) == name)
      }
      let bare = try await rig.authority.issue("bob", names: "IP:127.0.0.1", isForClient: true)
      #expect(try await who(rig, fixture, bare) == (kind == .commonName ? "bob" : "nameless"))
    }
  }
}

@Suite("Raw requests over TLS", .inTurn(minutes: 4), .enabled(if: TestAuthority.isThere, "\(TestAuthority.comment)"))
struct RawTLSRequestTests {
  @Test("are served or refused, between two others, as without TLS")
  func judged() async throws {
    try await TLSRig().with { _, port in
      let judge = try RawRequestJudge(port: port, isStrict: ParserStrictness.linked() == .strict)
      // Each connection costs a handshake: it has to be one for each request.
      let complaints = try await judge.complaints(RawRequest.all, alsoAlone: false)
      #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
    }
  }
}
