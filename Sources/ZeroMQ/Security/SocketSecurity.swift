/// How a socket shows who it is and hides what it says, and whom it lets in: ZeroMQ's mechanisms NULL, PLAIN and CURVE. Both ends
/// need the same one.
///
/// Which side is the server has nothing to do with which of them binds. A server that names a domain has the `Authenticator` of its
/// context asked about each peer, before a message of it gets in; without an authenticator nobody gets in. Connections over inproc
/// are never asked about, nor encrypted.
///
/// ```swift
/// let (server, client) = (try CurveKeyPair(), try CurveKeyPair())
/// options.security = .curveServer(server, domain: "orders")       // on the one side
/// options.security = .curve(client, server: server.publicKey)     // on the other
/// ```
public struct SocketSecurity: Hashable, Sendable {
  private enum Mechanism: Hashable {
    case null
    case plain(user: String, Password)
    case plainServer
    case curve(CurveKeyPair, server: CurvePublicKey)
    case curveServer(CurveKeyPair)
  }

  /// The longest domain, user and password, in bytes.
  public static let longestText = 255

  private let mechanism: Mechanism
  /// nil: nobody is asked.
  private let domain: String?

  private init(_ mechanism: Mechanism, domain: String? = nil) { (self.mechanism, self.domain) = (mechanism, domain) }

  /// Nothing: everyone is let in, everyone on the way can read along.
  public static let null = SocketSecurity(.null)

  /// Not encrypted; peers are let in by their address.
  public static func null(domain: String) -> SocketSecurity { .init(.null, domain: domain) }

  /// A client with a name and a password, which everyone on the way can read along.
  public static func plain(user: String, password: Password) -> SocketSecurity { .init(.plain(user: user, password)) }

  /// A server whose clients have names and passwords.
  public static func plainServer(domain: String) -> SocketSecurity { .init(.plainServer, domain: domain) }

  /// A client that is known by its key, and that knows the server by its. Encrypted, and never to be read by those who learn the keys
  /// later.
  public static func curve(_ own: CurveKeyPair, server: CurvePublicKey) -> SocketSecurity {
    .init(.curve(own, server: server))
  }

  /// A server whose clients are known by their keys. Encrypted. Without a domain everyone is let in who knows the server's public key.
  public static func curveServer(_ own: CurveKeyPair, domain: String?) -> SocketSecurity {
    .init(.curveServer(own), domain: domain)
  }
}

extension SocketSecurity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// What it is, without secrets.
  public var description: String {
    let place = domain.map { " in domain \"\($0)\"" } ?? ""
    switch mechanism {
    case .null: return "NULL" + place
    case .plain(let user, _): return "PLAIN client \"\(user)\""
    case .plainServer: return "PLAIN server" + place
    case .curve(let own, let server): return "CURVE client \(own.publicKey) of server \(server)"
    case .curveServer(let own): return "CURVE server \(own.publicKey)" + place
    }
  }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension SocketSecurity {
  func apply(to socket: borrowing Socket) throws(ZMQError) {
    try setDomain(of: socket)
    switch mechanism {
    case .null: return
    case .plain(let user, let password):
      try socket.set(.plainUser, to: Self.checked(user, "a user of PLAIN"))
      try socket.set(.plainPassword, to: Self.checked(password.text, "a password of PLAIN"))
    case .plainServer: try socket.set(.plainServer, to: true)
    case .curve(let own, let server):
      try requireCurve()
      try socket.set(.curveServerKey, to: server.bytes)
      try socket.set(.curvePublicKey, to: own.publicKey.bytes)
      try socket.set(.curveSecretKey, to: own.secretKey.bytes)
    case .curveServer(let own):
      try requireCurve()
      try socket.set(.curveServer, to: true)
      try socket.set(.curveSecretKey, to: own.secretKey.bytes)
    }
  }

  /// With the domain enforced, nobody gets in where nobody can be asked. A server of PLAIN without a domain would then end the process,
  /// which is why it has none here.
  private func setDomain(of socket: borrowing Socket) throws(ZMQError) {
    guard mechanism != .null || domain != nil else { return }
    try socket.set(.enforcesZapDomain, to: true)
    guard let domain else { return }
    try socket.set(.zapDomain, to: Self.checked(domain, "a domain"))
  }

  private func requireCurve() throws(ZMQError) {
    guard !CurveKeyPair.isAvailable else { return }
    throw ZMQError(
      code: .notSupported,
      call: "CURVE with a libzmq that was built without it; install one that was built with libsodium")
  }

  private static func checked(_ text: String, _ what: String) throws(ZMQError) -> String {
    let count = text.utf8.count
    // Others read these texts up to a zero.
    guard (1...longestText).contains(count), !text.utf8.contains(0) else {
      throw ZMQError(
        code: .invalid, call: "\(what) of \(count) bytes: it needs 1...\(longestText), none of them zero")
    }
    return text
  }
}
