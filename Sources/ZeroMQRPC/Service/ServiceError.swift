import MessagePack
import ZeroMQ

/// Why a service does not do what it is told.
public struct ServiceError: Error, Hashable, CustomStringConvertible {
  /// The kind of failure; unknown values stay comparable and printable.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name of the code.
    public let rawValue: String
    /// A code by its name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The service is closed.
    public static let closed = Code(rawValue: "closed")
    /// Methods have names that nobody could call them by.
    public static let badMethods = Code(rawValue: "bad-methods")
    /// An option is out of its bounds.
    public static let badOption = Code(rawValue: "bad-option")
    /// libzmq has ended the socket.
    public static let socket = Code(rawValue: "socket")
  }

  /// The kind of failure.
  public let code: Code
  /// What happened and what to do.
  public let message: String

  public var description: String { message }
}

extension ServiceError {
  static var closed: ServiceError { .init(code: .closed, message: "the service is closed") }

  static func badMethods(_ faults: [String]) -> ServiceError {
    .init(code: .badMethods, message: "methods that cannot be called: \(faults.joined(separator: "; "))")
  }

  static func badOption(_ message: String) -> ServiceError { .init(code: .badOption, message: message) }

  static func socket(_ error: ZMQError) -> ServiceError {
    .init(code: .socket, message: "the service has lost its socket: \(error)")
  }
}

extension ServiceError: RemoteExceptionConvertible {
  /// A closed service that another one calls is told as aiozmq tells it.
  public var remoteException: RemoteException {
    code == .closed
      ? .init("aiozmq.rpc.base.ServiceClosedError", [])
      : .init("builtins.RuntimeError", [.string(message)])
  }
}
