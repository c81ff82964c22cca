import CZeroMQ

/// The messaging pattern of a socket (`zmq_socket(3)`).
public struct SocketKind: RawRepresentable, Hashable, Sendable {
  /// libzmq's number of the kind.
  public let rawValue: CInt
  /// A kind by libzmq's number.
  public init(rawValue: CInt) { self.rawValue = rawValue }

  /// Request-reply in strict turn, the client: one request, then its reply. To write twice in a row is an error that ends it.
  public static let request = SocketKind(rawValue: ZMQ_REQ)
  /// Request-reply in strict turn, the server: one reply to each request.
  public static let reply = SocketKind(rawValue: ZMQ_REP)
  /// Request-reply without the alternation: the client of many servers.
  public static let dealer = SocketKind(rawValue: ZMQ_DEALER)
  /// Request-reply with the peer's identity in front: the server of many clients.
  public static let router = SocketKind(rawValue: ZMQ_ROUTER)
  /// Sends work to one of its peers.
  public static let push = SocketKind(rawValue: ZMQ_PUSH)
  /// Receives work from all its peers.
  public static let pull = SocketKind(rawValue: ZMQ_PULL)
  /// Sends to all peers that subscribe.
  public static let publish = SocketKind(rawValue: ZMQ_PUB)
  /// Receives what it subscribes to.
  public static let subscribe = SocketKind(rawValue: ZMQ_SUB)
  /// As `publish`, and receives its peers' subscriptions: messages of one frame, a byte 1 or 0 and the prefix.
  public static let xPublish = SocketKind(rawValue: ZMQ_XPUB)
  /// As `subscribe`, and sends its subscriptions as messages: a byte 1 or 0 and the prefix. Other messages go to the publishers.
  public static let xSubscribe = SocketKind(rawValue: ZMQ_XSUB)
  /// Exactly one peer.
  public static let pair = SocketKind(rawValue: ZMQ_PAIR)
  /// TCP peers that do not speak ZeroMQ: messages of two frames, the peer's identity and some bytes. No bytes mean that the peer has
  /// come or gone, and, sent, end the connection.
  public static let stream = SocketKind(rawValue: ZMQ_STREAM)

  /// All there are, in libzmq's order.
  public static let all: [SocketKind] = [
    .pair, .publish, .subscribe, .request, .reply, .dealer, .router, .pull, .push, .xPublish, .xSubscribe, .stream,
  ]
}

extension SocketKind: CustomStringConvertible {
  private static let names = [
    "PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM",
  ]

  /// The name in ZeroMQ's documents, such as "DEALER".
  public var description: String {
    Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "kind \(rawValue)"
  }

  /// Whether messages can go. A SUB sends subscriptions only, which are no messages.
  var sends: Bool { self != .pull && self != .subscribe }

  /// Whether messages can come.
  var receives: Bool { self != .push && self != .publish }

  /// Whether libzmq says truly that a message can go. Of all others it always says so, though a peer that a message is for may have no
  /// room: a ROUTER's and a STREAM's, and with the option `noDrop` any subscriber of a PUB or XPUB.
  var tellsRoom: Bool { [.pair, .dealer, .push, .request].contains(self) }

  /// Whether sending and receiving take turns.
  var takesTurns: Bool { self == .request || self == .reply }
}
