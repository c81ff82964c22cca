import Foundation

/// An authority of certificates that a test makes for itself, with openssl: no private key is kept anywhere.
public struct TestAuthority: Sendable {
  /// A certificate and its key, as files.
  public struct Pair: Sendable {
    public let certificate: String
    public let key: String

    public var certificateText: String { get throws { try String(contentsOfFile: certificate, encoding: .utf8) } }
    public var keyText: String { get throws { try String(contentsOfFile: key, encoding: .utf8) } }
  }

  /// Whether openssl is there: `make test` installs it.
  public static let isThere = ["/usr/bin", "/usr/local/bin", "/bin"].contains {
    FileManager.default.isExecutableFile(atPath: "\($0)/openssl")
  }
  /// Why tests are left out without it.
  public static let comment = "openssl is missing: TLS was NOT tested"

  /// Its own.
  public let own: Pair
  private let directory: TemporaryDirectory

  /// A new one, whose files are in the directory.
  public init(_ name: String = "authority", in directory: TemporaryDirectory) async throws {
    self.directory = directory
    own = Self.pair(name, in: directory)
    try await Self.openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
      "/CN=\(name)", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", own.key, "-out", own.certificate)
  }

  private static func pair(_ name: String, in directory: TemporaryDirectory) -> Pair {
    let file = name.map { $0.isLetter || $0.isNumber ? "\($0)" : "-" }.joined()
    return Pair(certificate: "\(directory.path)/\(file).pem", key: "\(directory.path)/\(file).key")
  }

  /// A certificate for this machine, or for a client; one that ended in the past with `days: -1`. `names` are alternative names, as openssl
  /// writes them.
  public func issue(
    _ name: String, names: String = "DNS:localhost,IP:127.0.0.1", isForClient: Bool = false, days: Int = 2
  ) async throws -> Pair {
    let pair = Self.pair(name, in: directory)
    let request = pair.key + ".csr"
    try await Self.openssl(
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
      "-keyout", pair.key, "-out", request)
    let extensions = pair.key + ".ext"
    // What Python 3.13 wants of a certificate.
    try """
    basicConstraints=critical,CA:FALSE
    keyUsage=critical,digitalSignature
    subjectKeyIdentifier=hash
    authorityKeyIdentifier=keyid
    extendedKeyUsage=\(isForClient ? "clientAuth" : "serverAuth")
    subjectAltName=\(names)
    """.write(toFile: extensions, atomically: true, encoding: .utf8)
    let sign = [
      "x509", "-req", "-in", request, "-CA", own.certificate, "-CAkey", own.key, "-set_serial",
      "\(UInt32.random(in: 1 ... .max))", "-extfile", extensions, "-out", pair.certificate,
    ]
    do {
      try await Self.openssl(sign + ["-days", "\(days)"])
    } catch  where days < 0 {
      // Since its version 3.4 openssl takes no days in the past, but times.
      try await Self.openssl(sign + ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"])
    }
    _ = chmod(pair.key, 0o600)
    return pair
  }

  private static func openssl(_ arguments: String...) async throws { try await openssl(arguments) }

  private static func openssl(_ arguments: [String]) async throws {
    let (output, code) = try await run("openssl", arguments)
    guard code == 0 else { throw Subprocess.Failed(description: "openssl \(arguments[0]): \(output)") }
  }

  /// Runs a program to its end; returns what it printed, both outputs as one, and its exit code.
  public static func run(
    _ program: String, _ arguments: [String], input: String = ""
  ) async throws -> (output: String, code: CInt) {
    let process = try Subprocess(program, arguments, complaints: .withOutput)
    process.write(input)
    process.closeInput()
    let output = try await process.rest()
    return (output, try await process.ended())
  }
}

/// A program beside the test that takes plain connections, and carries them to a server over TLS: what speaks HTTP in the tests speaks
/// it over TLS through this.
public final class TLSTunnel: Sendable {
  /// Where it takes connections.
  public let port: UInt16
  private let process: Subprocess

  /// Starts it. The server's certificate has to be one of the authority; the client shows its own, if it has one.
  public init(
    to server: UInt16, trusting authority: TestAuthority, as client: TestAuthority.Pair? = nil
  ) async throws {
    process = try Python.start(
      "tls_tunnel.py",
      ["\(server)", authority.own.certificate] + (client.map { [$0.certificate, $0.key] } ?? []))
    guard let line = try await process.line(), let port = UInt16(line) else {
      await process.destroy()
      throw Subprocess.Failed(description: "tls_tunnel.py did not start")
    }
    self.port = port
  }

  public func stop() async { await process.destroy() }
}
