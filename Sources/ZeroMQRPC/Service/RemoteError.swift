public import MessagePack

/// An exception as it travels: aiozmq's `[dotted class name, args, repr]`.
///
/// A method that throws one answers exactly that; any other Swift error travels under its own type's name.
public struct RemoteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The dotted name of the class, such as `builtins.ValueError`.
  public let name: String
  /// What the exception was made with.
  public let arguments: [Value]
  /// The text that Python's `repr` gives.
  public let repr: String

  /// An exception; the repr is made from the other two unless it is given.
  public init(_ name: String, _ arguments: [Value], repr: String? = nil) {
    self.name = name
    self.arguments = arguments
    let class_ = name.split(separator: ".").last.map(String.init) ?? name
    self.repr = repr ?? "\(class_)(\(arguments.map(\.pythonRepr).joined(separator: ", ")))"
  }

  /// `ValueError`: an argument of the right type that will not do.
  public static func value(_ message: String) -> RemoteError { .init("builtins.ValueError", [.string(message)]) }
  /// `KeyError`: nothing is there under that key.
  public static func key(_ key: Value) -> RemoteError { .init("builtins.KeyError", [key]) }
  /// `TypeError`: an argument of the wrong type.
  public static func type(_ message: String) -> RemoteError { .init("builtins.TypeError", [.string(message)]) }
  /// The service has no such method.
  public static func notFound(_ method: String) -> RemoteError {
    .init("aiozmq.rpc.base.NotFoundError", [.string(method)])
  }
  /// The arguments do not fit the method; Python puts the repr of a `TypeError` there.
  public static func parameters(_ message: String) -> RemoteError {
    .init("aiozmq.rpc.base.ParametersError", [.string("TypeError(\(Value.string(message).pythonRepr))")])
  }

  /// What a thrown error travels as.
  init(wrapping error: any Error) {
    if let error = error as? RemoteError {
      self = error
    } else if error is CancellationError {
      self.init("builtins.TimeoutError", [])
    } else {
      self.init(String(reflecting: Swift.type(of: error)), [.string(String(describing: error))])
    }
  }

  public var description: String { repr }

  /// The body of an exception reply.
  var body: Value { .array([.string(name), .array(arguments), .string(repr)]) }
}

extension Value {
  /// The text of Python's `repr` for what arrives there: arrays become tuples.
  var pythonRepr: String {
    switch self {
    case .nil: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let text): Self.quoted(text)
    case .binary(let bytes): "b" + Self.quoted(String(decoding: bytes, as: UTF8.self))
    case .array(let values):
      values.count == 1
        ? "(\(values[0].pythonRepr),)" : "(\(values.map(\.pythonRepr).joined(separator: ", ")))"
    case .map(let pairs):
      "{\(pairs.map { "\($0.key.pythonRepr): \($0.value.pythonRepr)" }.joined(separator: ", "))}"
    case .ext(let code, let bytes): "ExtType(code=\(code), data=<\(bytes.count) bytes>)"
    }
  }

  /// Single quotes, unless the text holds some and no double ones.
  private static func quoted(_ text: String) -> String {
    let quote: Character = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var quoted = String(quote)
    for character in text {
      switch character {
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case quote: quoted += "\\\(character)"
      default: quoted.append(character)
      }
    }
    quoted.append(quote)
    return quoted
  }
}
