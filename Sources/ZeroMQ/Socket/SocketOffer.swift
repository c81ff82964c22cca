import CZeroMQ
import Reactor

/// A socket that was made elsewhere, for a transport to take over. A transport of another kind refuses it; then it stays what it was.
public final class SocketOffer: Sendable {
  // Safe: whoever takes it has it alone, for it was given away by who made it.
  private enum Offered: @unchecked Sendable {
    case socket(Socket)
    case raw(UnsafeMutableRawPointer, Context)
  }

  private let kind: SocketKind
  private let offered: Guarded<Offered?>

  /// Offers a socket that nobody else uses any more.
  public init(_ socket: sending Socket) {
    kind = socket.kind
    offered = Guarded(.socket(socket))
  }

  /// Offers a socket that C has made in that context, and nobody else uses any more. It has to be just that context: libzmq does not tell,
  /// and a transport of another one waits for ever. Who takes it over closes it in the end; an offer that
  /// is dropped does not. Throws `invalid` for a socket that conflates: a message of several frames, which any peer may send, makes libzmq
  /// end the process; and for one with heartbeats and a receive mark (see `SocketOptions.heartbeat`).
  public init(_ raw: UnsafeMutableRawPointer, in context: Context) throws(ZMQError) {
    kind = SocketKind(rawValue: try Self.integer(ZMQ_TYPE, of: raw, "ZMQ_TYPE"))
    guard try Self.integer(ZMQ_CONFLATE, of: raw, "ZMQ_CONFLATE") == 0 else {
      throw ZMQError(code: .invalid, call: "a socket with ZMQ_CONFLATE; make one without it")
    }
    let mark = try Self.integer(ZMQ_RCVHWM, of: raw, "ZMQ_RCVHWM")
    let heartbeat = try Self.integer(ZMQ_HEARTBEAT_IVL, of: raw, "ZMQ_HEARTBEAT_IVL")
    guard mark == 0 || heartbeat == 0 else {
      throw ZMQError(
        code: .invalid, call: "a socket with ZMQ_HEARTBEAT_IVL and ZMQ_RCVHWM of \(mark); set one of the two to zero")
    }
    offered = Guarded(.raw(raw, context))
  }

  /// The socket, if it was made here and nobody has taken it over.
  public func take() -> sending Socket? {
    let taken = offered.withLock { offered -> Offered? in
      guard case .socket = offered else { return nil }
      return offered.take()
    }
    if case .socket(let socket) = taken { return socket }
    return nil
  }

  /// The socket, for a transport of that kind.
  func take(_ wanted: SocketKind) throws(ZMQError) -> Socket {
    guard kind == wanted else { throw ZMQError(code: .invalid, call: "a \(kind) socket for a \(wanted) transport") }
    switch offered.withLock({ $0.take() }) {
    case .socket(let socket): return socket
    case .raw(let raw, let context): return Socket(adopting: raw, kind, in: context)
    case nil: throw ZMQError(code: .notSocket, call: "a socket that was taken over already")
    }
  }

  private static func integer(
    _ option: CInt, of raw: UnsafeMutableRawPointer, _ name: String
  ) throws(ZMQError) -> CInt {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    try check("zmq_getsockopt(\(name))") { zmq_getsockopt(raw, option, &value, &size) }
    return value
  }
}
