import Support

@testable import HTTPServer

/// What a test of TLS works with: an authority, and a server that shows a certificate of it.
struct TLSRig {
  let directory: TemporaryDirectory
  let authority: TestAuthority
  let identity: TLSIdentity

  init(clients: ((TestAuthority) throws -> ClientAuthorities)? = nil) async throws {
    directory = try TemporaryDirectory()
    let authority = try await TestAuthority(in: directory)
    self.authority = authority
    let pair = try await authority.issue("server")
    identity = TLSIdentity(
      try TLSCredentials(
        certificate: pair.certificateText, key: pair.keyText, clients: try clients.map { try $0(authority) }))
  }

  /// Runs the body with a server, and the port of a tunnel to it.
  func with(
    _ options: ServerOptions = .init(), openConnections: OpenConnections? = nil, as client: TestAuthority.Pair? = nil,
    _ body: (Fixture, UInt16) async throws -> Void
  ) async throws {
    try await Fixture.with(options, tls: identity, openConnections: openConnections) { fixture in
      let tunnel = try await TLSTunnel(to: fixture.address.port, trusting: authority, as: client)
      do {
        try await body(fixture, tunnel.port)
      } catch {
        await tunnel.stop()
        throw error
      }
      await tunnel.stop()
    }
  }

  /// What `openssl s_client` says of a handshake; names as its later versions write them, `CN=name`.
  func handshake(_ fixture: Fixture, _ arguments: String...) async throws -> String {
    try await TestAuthority.run(
      "openssl",
      [
        "s_client", "-connect", "127.0.0.1:\(fixture.address.port)", "-CAfile", authority.own.certificate,
        "-verify_return_error",
      ] + arguments
    ).output.replacing(" = ", with: "=")
  }
}
