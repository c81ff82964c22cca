import CZeroMQ
import Glibc

/// A failed libzmq call: which call, and why.
public struct ZMQError: Error, Hashable, CustomStringConvertible {
  /// The `errno` libzmq set. Unknown values stay comparable and printable.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number itself.
    public let rawValue: CInt
    /// Any `errno`.
    public init(rawValue: CInt) { self.rawValue = rawValue }
    /// The context is shutting down: close the socket.
    public static let terminated = Code(rawValue: 156_384_765)
    /// The call makes no sense as it was made.
    public static let invalid = Code(rawValue: EINVAL)
    /// There is no such thing to act on.
    public static let notFound = Code(rawValue: ENOENT)
    /// The socket is closed.
    public static let notSocket = Code(rawValue: ENOTSOCK)
    /// Another socket holds that address.
    public static let addressInUse = Code(rawValue: EADDRINUSE)
    /// The address is none of this machine.
    public static let addressNotAvailable = Code(rawValue: EADDRNOTAVAIL)
    /// Something that is no socket is at that path.
    public static let exists = Code(rawValue: EEXIST)
    /// The kind of socket cannot do that; or the libzmq at hand is too old for it, or was built without it.
    public static let notSupported = Code(rawValue: ENOTSUP)
    /// There is no such address here.
    public static let noDevice = Code(rawValue: ENODEV)
    /// It is so already.
    public static let already = Code(rawValue: EALREADY)
    /// The task that waited was cancelled.
    public static let cancelled = Code(rawValue: ECANCELED)
    /// A REQ or REP socket is out of its turn.
    public static let wrongState = Code(rawValue: 156_384_763)
    /// There was not enough time.
    public static let timedOut = Code(rawValue: ETIMEDOUT)
    /// The peer named by a router is not connected.
    public static let unreachable = Code(rawValue: EHOSTUNREACH)

    /// libzmq's text for it, such as "Connection refused".
    public var description: String { String(cString: zmq_strerror(rawValue)) }
  }

  /// Why.
  public let code: Code
  /// The libzmq function, with what it was given where that helps.
  public let call: String

  package init(code: Code, call: String) {
    self.code = code
    self.call = call
  }

  public var description: String { "\(call): \(code)" }
}

extension ZMQError {
  /// The error of the call that just returned. Read it before anything else can set `errno`.
  static func last(_ call: @autoclosure () -> String) -> ZMQError {
    let code = Code(rawValue: zmq_errno())
    return .init(code: code, call: call())
  }
}

/// Repeats a call while signals interrupt it; throws what is an error.
@discardableResult
func check(_ call: @autoclosure () -> String, _ body: () -> CInt) throws(ZMQError) -> CInt {
  while true {
    let result = body()
    if result >= 0 { return result }
    if zmq_errno() != EINTR { throw .last(call()) }
  }
}

/// As `check`, but nil when libzmq says "not now".
func attempt(_ call: @autoclosure () -> String, _ body: () -> CInt) throws(ZMQError) -> CInt? {
  while true {
    let result = body()
    if result >= 0 { return result }
    switch zmq_errno() {
    case EINTR: continue
    case EAGAIN: return nil
    default: throw .last(call())
    }
  }
}
