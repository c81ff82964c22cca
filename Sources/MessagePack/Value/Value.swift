/// A MessagePack value as a tree, for service handlers and tests; the gateway's own path stays with bytes.
///
/// Equality is exact: `1` and `1.0` differ, as they do on the wire, and NaN equals nothing.
public enum Value: Hashable, Sendable {
  /// A key of a map with its value.
  public struct Pair: Hashable, Sendable {
    /// The key; any value, though aiozmq reads only strings and binary.
    public var key: Value
    /// What the key stands for.
    public var value: Value

    /// A key and its value.
    public init(_ key: Value, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  /// Nil.
  case `nil`
  /// True or false.
  case bool(Bool)
  /// An integer that fits 64 bits with sign.
  case int(Int64)
  /// An integer above `Int64.max` only, so that equal integers are equal values; ``integer(_:)`` chooses.
  case uint(UInt64)
  /// A float64; float32 arrives widened.
  case double(Double)
  /// Text.
  case string(String)
  /// Bytes, and strings that are not UTF-8.
  case binary([UInt8])
  /// Values in order.
  case array([Value])
  /// Pairs in the order they were written; a key may occur twice.
  case map([Pair])
  /// An application's own type: its code and bytes. Codes below 0 are reserved by MessagePack; -1 is the timestamp.
  case ext(Int8, [UInt8])

  /// The integer as `int` if it fits, else as `uint`.
  public static func integer(_ value: UInt64) -> Value {
    Int64(exactly: value).map(Value.int) ?? .uint(value)
  }
}

extension Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// `nil`
  public init(nilLiteral: ()) { self = .nil }
  /// `true`
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// `17`
  public init(integerLiteral value: Int64) { self = .int(value) }
  /// `1.5`
  public init(floatLiteral value: Double) { self = .double(value) }
  /// `"text"`
  public init(stringLiteral value: String) { self = .string(value) }
  /// `[1, "two"]`
  public init(arrayLiteral elements: Value...) { self = .array(elements) }
  /// `["a": 1]`, in the order written.
  public init(dictionaryLiteral elements: (Value, Value)...) { self = .map(elements.map(Pair.init)) }
}

extension Value {
  /// Whether this is nil.
  public var isNil: Bool { self == .nil }

  /// The truth value, if this is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The integer, if this is one that fits.
  public var intValue: Int? { if case .int(let value) = self { Int(value) } else { nil } }

  /// The integer, if this is one that is not negative.
  public var uintValue: UInt64? {
    switch self {
    case .int(let value): UInt64(exactly: value)
    case .uint(let value): value
    default: nil
    }
  }

  /// The number, if this is a float, or an integer that a float holds exactly.
  public var doubleValue: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(exactly: value)
    case .uint(let value): Double(exactly: value)
    default: nil
    }
  }

  /// The text, if this is a string.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

  /// The bytes, if this is binary.
  public var binaryValue: [UInt8]? { if case .binary(let value) = self { value } else { nil } }

  /// The members, if this is an array.
  public var arrayValue: [Value]? { if case .array(let value) = self { value } else { nil } }

  /// The pairs, if this is a map.
  public var mapValue: [Pair]? { if case .map(let value) = self { value } else { nil } }

  /// The value of a string key of a map, the last one if it occurs twice, as Python reads it.
  public subscript(key: String) -> Value? { mapValue?.last { $0.key == .string(key) }?.value }

  /// A member of an array, if there is one at `index`.
  public subscript(index: Int) -> Value? {
    guard let members = arrayValue, members.indices.contains(index) else { return nil }
    return members[index]
  }
}
