/// The question whether a peer may come in, asked by a socket of a domain (ZAP, RFC 27 of ZeroMQ).
public struct AuthenticationRequest: Sendable, Hashable {
  /// What the peer shows.
  public enum Credentials: Sendable, Hashable {
    /// Nothing: there is no mechanism, and the address is all that is known.
    case null
    /// A name and a password, which everyone on the way could read.
    case plain(user: String, password: Password)
    /// The public key of the client. That it has the secret one was checked.
    case curve(CurvePublicKey)
    /// What a mechanism that this library does not know shows.
    case other(mechanism: String, [[UInt8]])
  }

  /// The domain that the socket named (`SocketSecurity`).
  public let domain: String
  /// The peer's IP address, in numbers. Over ipc it is `localhost:user:group:process` of the peer, in numbers as well.
  public let address: String
  /// What the peer shows.
  public let credentials: Credentials

  /// A question, as sockets ask it.
  public init(domain: String, address: String, credentials: Credentials) {
    (self.domain, self.address, self.credentials) = (domain, address, credentials)
  }
}

/// Whether a peer may come in.
public enum AuthenticationAnswer: Sendable, Hashable {
  /// It may. Its messages bear the user's name as the property `User-Id`, and the others that are given.
  ///
  /// A name has at most 255 bytes, none of them zero. Properties have names of 1...255 letters, digits and `-_.+`, and values without a
  /// zero, all together at most 4 KiB; none is one that libzmq sets: `Socket-Type`, `Identity`, `Routing-Id`, `User-Id`, `Peer-Address`, in
  /// any case. A peer whose answer breaks this is refused with code 500.
  case allow(user: String, properties: [String: String] = [:])
  /// It may not: code 400.
  case deny
}

/// A peer that was not let in.
public struct Denial: Sendable, Hashable, CustomStringConvertible {
  /// What the peer and the monitors of both sides are told (RFC 27): 300 for later, 400 for no, 500 for a fault of this side.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public let rawValue: Int
    /// Any number.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// There was no answer in time, or too many questions waited. libzmq tells the peer nothing, and lets it try again when the time of
    /// its handshake is over.
    public static let temporary = Code(rawValue: 300)
    /// The peer may not come in.
    public static let refused = Code(rawValue: 400)
    /// Who had to decide failed.
    public static let failed = Code(rawValue: 500)

    /// The number.
    public var description: String { "\(rawValue)" }
  }

  /// The domain that the peer wanted into.
  public let domain: String
  /// The peer's IP address, in numbers. Over ipc it is `localhost:user:group:process` of the peer, in numbers as well.
  public let address: String
  /// What the peer was told.
  public let code: Code
  /// Why, in words for the operator. Nothing of what the peer showed.
  public let reason: String

  public var description: String {
    "\(code.rawValue) for \(address.isEmpty ? "a local peer" : address) in \"\(domain)\": \(reason)"
  }
}
