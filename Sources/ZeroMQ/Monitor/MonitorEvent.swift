import CZeroMQ

extension Monitor {
  /// Something that happened to a connection, or to a socket that listens.
  public struct Event: Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    public let kind: Kind
    /// The endpoint that it happened to, addresses in numbers; empty with `stopped`.
    public let endpoint: String

    public var description: String { endpoint.isEmpty ? "\(kind)" : "\(kind) at \(endpoint)" }
  }

  /// What can happen. A descriptor is only a number to tell connections apart: it belongs to libzmq, and may be closed by now.
  public enum Kind: Sendable, Hashable {
    /// The kernel has connected; the handshake begins.
    case connected(descriptor: CInt)
    /// A try to connect is under way.
    case connectDelayed(ZMQError.Code)
    /// A try to connect has failed, and the next one follows after that time.
    case connectRetried(after: Duration)
    /// The socket is bound.
    case listening(descriptor: CInt)
    /// The socket cannot be bound.
    case bindFailed(ZMQError.Code)
    /// A peer has connected; the handshake begins.
    case accepted(descriptor: CInt)
    /// A peer's connection could not be accepted. While the process is out of descriptors libzmq tries without a pause, and this is told
    /// once for many times.
    case acceptFailed(ZMQError.Code)
    /// A connection that was not established, or a socket that listened, is closed.
    case closed(descriptor: CInt)
    /// A descriptor could not be closed.
    case closeFailed(ZMQError.Code)
    /// A connection is gone, whether its handshake was done or not.
    case disconnected(descriptor: CInt)
    /// The socket is closed. This is the last event.
    case stopped
    /// The handshake is done: messages can pass.
    case handshakeSucceeded
    /// The handshake failed, without a reason: the peer closed the connection, said nothing for too long, or nobody could be asked
    /// whether it may come in.
    case handshakeFailed(ZMQError.Code)
    /// The handshake failed because one side did not keep to the protocol, or because the two do not go together.
    case handshakeBroken(ProtocolError)
    /// A peer was not let in: this one, at a client; one that came, at a server. The code is that of ZAP, such as 400.
    case handshakeRefused(Denial.Code)
    /// What this library does not know.
    case other(number: Int, value: Int)
  }

  /// What was wrong in a handshake.
  public struct ProtocolError: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// libzmq's number.
    public let rawValue: UInt32
    /// Any number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The two sides have different security mechanisms.
    public static let mechanismMismatch = code(ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
    /// The kinds of the two sockets do not go together, or what the peer says of itself cannot be read.
    public static let invalidMetadata = code(ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA)
    /// What came cannot be decrypted: the client has another key of the server than the server has.
    public static let cryptographic = code(ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)

    /// Its name.
    public var description: String { Self.names[self] ?? "protocol error \(String(rawValue, radix: 16))" }

    private static func code(_ number: some BinaryInteger) -> Self {
      .init(rawValue: UInt32(truncatingIfNeeded: number))
    }

    private static let names: [Self: String] = [
      code(ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED): "ZMTP: unspecified",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND): "ZMTP: unexpected command",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE): "ZMTP: invalid sequence",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE): "ZMTP: key exchange",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED): "ZMTP: malformed command",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_MESSAGE): "ZMTP: malformed MESSAGE",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO): "ZMTP: malformed HELLO",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_INITIATE): "ZMTP: malformed INITIATE",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR): "ZMTP: malformed ERROR",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_READY): "ZMTP: malformed READY",
      code(ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME): "ZMTP: malformed WELCOME",
      invalidMetadata: "ZMTP: invalid metadata",
      cryptographic: "ZMTP: cryptographic",
      mechanismMismatch: "ZMTP: mechanism mismatch",
      code(ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED): "ZAP: unspecified",
      code(ZMQ_PROTOCOL_ERROR_ZAP_MALFORMED_REPLY): "ZAP: malformed reply",
      code(ZMQ_PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID): "ZAP: bad request id",
      code(ZMQ_PROTOCOL_ERROR_ZAP_BAD_VERSION): "ZAP: bad version",
      code(ZMQ_PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE): "ZAP: invalid status code",
      code(ZMQ_PROTOCOL_ERROR_ZAP_INVALID_METADATA): "ZAP: invalid metadata",
      code(ZMQ_PROTOCOL_ERROR_WS_UNSPECIFIED): "WebSocket: unspecified",
    ]
  }
}

extension Monitor.Kind {
  /// What libzmq's number of an event and its value mean.
  init(number: UInt16, value: UInt32) {
    let (signed, code) = (CInt(bitPattern: value), ZMQError.Code(rawValue: CInt(bitPattern: value)))
    switch CInt(number) {
    case ZMQ_EVENT_CONNECTED: self = .connected(descriptor: signed)
    case ZMQ_EVENT_CONNECT_DELAYED: self = .connectDelayed(code)
    case ZMQ_EVENT_CONNECT_RETRIED: self = .connectRetried(after: .milliseconds(signed))
    case ZMQ_EVENT_LISTENING: self = .listening(descriptor: signed)
    case ZMQ_EVENT_BIND_FAILED: self = .bindFailed(code)
    case ZMQ_EVENT_ACCEPTED: self = .accepted(descriptor: signed)
    case ZMQ_EVENT_ACCEPT_FAILED: self = .acceptFailed(code)
    case ZMQ_EVENT_CLOSED: self = .closed(descriptor: signed)
    case ZMQ_EVENT_CLOSE_FAILED: self = .closeFailed(code)
    case ZMQ_EVENT_DISCONNECTED: self = .disconnected(descriptor: signed)
    case ZMQ_EVENT_MONITOR_STOPPED: self = .stopped
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .handshakeSucceeded
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: self = .handshakeFailed(code)
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: self = .handshakeBroken(.init(rawValue: value))
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .handshakeRefused(.init(rawValue: Int(value)))
    default: self = .other(number: Int(number), value: Int(value))
    }
  }
}
