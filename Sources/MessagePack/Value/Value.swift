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
