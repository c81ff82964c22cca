public import MessagePack

/// An error that says itself what it is to those who call over the wire. Any other travels under the plain name of its type, without that of
/// its module: an `OutOfStock` as `OutOfStock`.
///
/// ```swift
/// extension OutOfStock: RemoteExceptionConvertible {
///   var remoteException: RemoteException { RemoteException("shop.errors.OutOfStock", [.string(item)]) }
/// }
/// ```
public protocol RemoteExceptionConvertible: Error {
  /// What the caller gets.
  var remoteException: RemoteException { get }
}

/// The exceptions that services answer with most.
extension RemoteException {
  /// `ValueError`: an argument of the right type that will not do.
  public static func value(_ message: String) -> RemoteException { .init("builtins.ValueError", [.string(message)]) }
  /// `KeyError`: nothing is there under that key.
  public static func key(_ key: Value) -> RemoteException { .init("builtins.KeyError", [key]) }
  /// `TypeError`: an argument of the wrong type.
  public static func type(_ message: String) -> RemoteException { .init("builtins.TypeError", [.string(message)]) }
  /// The service has no such method.
  public static func notFound(_ method: String) -> RemoteException { .init(notFoundName, [.string(method)]) }
  /// The arguments do not fit the method; Python puts the repr of the error that tells why there, mostly a `TypeError`.
  public static func parameters(_ message: String, class cause: String = "TypeError") -> RemoteException {
    .init(parametersName, [.string("\(cause)(\(PythonRepr.of(message)))")])
  }
  /// The method's time is up.
  static var timeout: RemoteException { .init("builtins.TimeoutError", []) }

  /// One argument does not fit, as aiozmq told it when it checked annotations.
  static func invalid(_ argument: String, _ error: any Error) -> RemoteException {
    let cause =
      if let error = error as? ConversionError {
        "\(error.code == .type ? "TypeError" : "ValueError")(\(PythonRepr.of(error.description)))"
      } else {
        RemoteException(wrapping: error).description
      }
    return .init(parametersName, [.string("Invalid value for argument \(PythonRepr.of(argument)): \(cause)")])
  }

  /// What a thrown error travels as: what it says itself, or the plain name of its type and its description.
  init(wrapping error: any Error) {
    if let error = error as? RemoteException {
      self = error
    } else if let error = error as? any RemoteExceptionConvertible {
      self = error.remoteException
    } else if let error = error as? ConversionError {
      self = error.code == .type ? .type(error.description) : .value(error.description)
    } else {
      self.init("\(Swift.type(of: error))", [.string(String(describing: error))])
    }
  }

  /// Whether the caller got the name or the arguments wrong.
  var isAboutTheCall: Bool { name == Self.notFoundName || name == Self.parametersName }

  private static let notFoundName = "aiozmq.rpc.base.NotFoundError"
  private static let parametersName = "aiozmq.rpc.base.ParametersError"
}
