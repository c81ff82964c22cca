import CZeroMQ

/// The messaging pattern of a socket (`zmq_socket(3)`).
public struct SocketKind: RawRepresentable, Hashable, Sendable {
  /// libzmq's number of the kind.
  public let rawValue: CInt
  /// A kind by libzmq's number.
  public init(rawValue: CInt) { self.rawValue = rawValue }

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
  /// Exactly one peer.
  public static let pair = SocketKind(rawValue: ZMQ_PAIR)
}
