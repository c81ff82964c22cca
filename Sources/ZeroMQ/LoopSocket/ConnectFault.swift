/// Why there is no connection to an endpoint, as far as one can tell from outside.
public struct ConnectFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of the reason, as a stable word.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The word.
    public let rawValue: String
    /// Any word.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// Nobody listens there.
    public static let refused = Code(rawValue: "refused")
    /// There is no way to the host.
    public static let unreachable = Code(rawValue: "unreachable")
    /// The host's name has no address.
    public static let unresolved = Code(rawValue: "unresolved")
    /// The host does not answer.
    public static let timeout = Code(rawValue: "timeout")
    /// The path of an ipc endpoint does not exist.
    public static let noSuchPath = Code(rawValue: "no-such-path")
    /// This process may not connect there.
    public static let forbidden = Code(rawValue: "forbidden")
    /// A ZeroMQ socket of a kind that does not go with this one.
    public static let wrongSocketType = Code(rawValue: "wrong-socket-type")
    /// Somebody answers, but not in ZeroMQ's protocol.
    public static let notZeroMQ = Code(rawValue: "not-zeromq")
    /// Somebody accepts the connection and says nothing.
    public static let silent = Code(rawValue: "silent")
    /// Somebody accepts the connection and closes it.
    public static let closed = Code(rawValue: "closed")
    /// The peer wants another security mechanism.
    public static let wrongMechanism = Code(rawValue: "wrong-mechanism")
    /// The peer refuses this process.
    public static let rejected = Code(rawValue: "rejected")
    /// The peer introduces itself as it should, and there is no connection all the same.
    public static let handshake = Code(rawValue: "handshake")
    /// Another endpoint leads to the same address.
    public static let duplicate = Code(rawValue: "duplicate")
    /// The endpoint is to be bound, and somebody else has it.
    public static let inUse = Code(rawValue: "in-use")
    /// The endpoint cannot be bound to.
    public static let cannotBind = Code(rawValue: "cannot-bind")
    /// The endpoint is bound, and nobody has connected to it.
    public static let noPeer = Code(rawValue: "no-peer")
  }

  /// The kind of the reason.
  public let code: Code
  /// The reason, and what to try, in words for the operator.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

extension ConnectFault {
  static let refused = ConnectFault(.refused, "nobody listens there; start the service, or check host and port")
  static let timeout = ConnectFault(
    .timeout, "the host does not answer; check the address, and whether a firewall drops what is sent to it")
  static let noSuchPath = ConnectFault(.noSuchPath, "there is no such path; start the service, or check the path")
  static let forbidden = ConnectFault(.forbidden, "this user may not connect there; check the permissions of the path")
  static let silent = ConnectFault(
    .silent, "somebody listens there and says nothing; it is no ZeroMQ socket, or its process is stopped")
  static let closed = ConnectFault(
    .closed,
    "the connection is accepted and closed at once; it is no ZeroMQ socket, or a proxy that does not reach the service")
  static let handshakeUnfinished = ConnectFault(
    .handshake, "the peer begins ZeroMQ's handshake and does not end it; check its log")
  /// The peer looks right from outside.
  package static let handshake = ConnectFault(
    .handshake, "the peer introduces itself as it should, but the connection does not stand; check the peer's log")
  /// A connection's security was refused, by either side.
  package static let rejected = ConnectFault(
    .rejected, "the peer refuses the credentials of this process, or its own are refused; check the keys of both")
  package static let noPeer = ConnectFault(.noPeer, "nobody has connected to it; start a service that connects here")
  /// The name server has not answered yet.
  package static let unansweredLookup = ConnectFault(
    .unresolved, "the host's name is still being looked up; check the name server")

  package static func unresolved(_ reason: String) -> ConnectFault {
    .init(.unresolved, "the host's name has no address (\(reason)); check the name, and the name server")
  }

  package static func duplicate(of other: Endpoint) -> ConnectFault {
    .init(.duplicate, "it leads to the address of \(other), and the two share one connection; remove one of them")
  }

  static func unreachable(_ reason: String) -> ConnectFault {
    .init(.unreachable, "there is no way to the host (\(reason)); check the address and the network")
  }

  static func wrongSocketType(_ found: String, user: String, needs: String) -> ConnectFault {
    .init(.wrongSocketType, "the peer is \(found), \(user) needs \(needs); check which port of the service this is")
  }

  /// A peer came that does not go with a bound socket of that kind.
  package static func misfit(_ kind: SocketKind, of user: String) -> ConnectFault {
    .init(
      .wrongSocketType,
      "a peer came that does not go with it: \(user) needs \(kind.peers[0]), without a security mechanism; check what connects here"
    )
  }

  /// Peers that came to a bound socket of that kind were gone before it was known what they are; nobody is connected.
  package static func unfinished(_ kind: SocketKind, of user: String) -> ConnectFault {
    .init(
      .noPeer,
      "nobody has connected to it but peers that left in ZeroMQ's handshake: their sockets may not go with it, which needs "
        + "\(kind.peers[0]) for \(user), or are none of ZeroMQ's; check what connects here")
  }

  /// An endpoint cannot be bound to.
  package static func unbindable(_ error: ZMQError) -> ConnectFault {
    .init(
      error.code == .addressInUse ? .inUse : .cannotBind,
      "\(error); " + (error.code == .addressInUse ? "end what uses it, or choose another" : "check the endpoint"))
  }

  static func notZeroMQ(_ found: String) -> ConnectFault {
    .init(.notZeroMQ, "\(found) answers there, no ZeroMQ socket; check the port")
  }

  static func wrongMechanism(_ found: String) -> ConnectFault {
    .init(
      .wrongMechanism,
      "the peer wants security mechanism \(found), and this side has none (NULL); configure both alike")
  }

  /// What it means to a side with CURVE that a look without has found this. `wasRefused`: that side has tried, and has no connection.
  package static func seenByCurve(_ found: ConnectFault?, wasRefused: Bool) -> ConnectFault? {
    guard let found else {
      return .init(
        .wrongMechanism, "the peer has no security mechanism (NULL), and this side has CURVE; configure both alike")
    }
    guard found == wrongMechanism("CURVE") else { return found }
    guard wasRefused else { return nil }
    return keysRefused
  }

  /// What a peer says by ending each handshake.
  package static let keysRefused = ConnectFault(
    .rejected, "the peer speaks CURVE, but does not take the keys; check its public key, and whether it admits ours")

  static func rejected(_ reason: String) -> ConnectFault {
    .init(.rejected, "the peer refuses this process (\(reason)); check whom it admits")
  }
}
