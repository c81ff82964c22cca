/// A value that does not fit the type that is wanted, or one of a program that no value can stand for.
public struct ConversionError: Error, Hashable, Sendable {
  /// The kind of failure; unknown values stay comparable and printable.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The name of the code.
    public let rawValue: String
    /// A code by its name.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// The value is of another kind, as a string where an integer is wanted.
    public static let type = Code(rawValue: "type")
    /// The kind is right, and the value is not: too large, of no known case, refused by a check.
    public static let value = Code(rawValue: "value")
  }

  /// The kind of failure.
  public let code: Code
  /// What is wrong.
  public let message: String
  /// Where in the whole, such as `[2].name`; empty for the whole itself.
  public let place: String

  /// An error as the conversions make it.
  public init(code: Code, message: String, place: String = "") {
    self.code = code
    self.message = message
    self.place = place
  }
}

extension ConversionError: CustomStringConvertible {
  /// One line: the place and what is wrong.
  public var description: String { place.isEmpty ? message : "\(place): \(message)" }
}

extension ConversionError {
  /// "an integer is needed, not a float"
  package static func needed(_ what: String, not value: Value) -> ConversionError {
    ConversionError(code: .type, message: "\(what) is needed, not \(value.kind)")
  }

  static func value(_ message: String) -> ConversionError { ConversionError(code: .value, message: message) }

  /// The same of the element of that index in an array.
  package func inside(_ index: Int) -> ConversionError { inside("[\(index)]") }

  /// The same of the member of that key in a map.
  package func inside(key: String) -> ConversionError { inside(".\(key)") }

  private func inside(_ step: String) -> ConversionError {
    ConversionError(code: code, message: message, place: step + place)
  }
}

extension Value {
  /// What it is, for a message.
  var kind: String {
    switch self {
    case .nil: "nil"
    case .bool: "a bool"
    case .int, .uint: "an integer"
    case .double: "a float"
    case .string: "a string"
    case .binary: "binary"
    case .array: "an array"
    case .map: "a map"
    case .ext(let code, _): "an extension of code \(code)"
    }
  }
}
