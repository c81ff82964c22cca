/// What a `Value` is converted to without loss, or not at all: an argument of a service's method, the result of a call.
///
/// `Int` takes integers that fit, and neither `1.0` nor `true`; `Double` takes floats and the integers that it holds exactly; `Bool` only
/// bools; `String` only strings; `[UInt8]` only binary; an `Optional` nil too; enums take their raw values. A type of your own that is
/// `Decodable` conforms with no more than the declaration, and is read from a map.
public protocol ValueDecodable: SendableMetatype {
  /// The value as this type. Throws when it does not fit.
  init(converting value: Value) throws(ConversionError)
  /// The value as an array of this type. The default converts member by member; `UInt8` takes binary.
  static func array(converting value: Value) throws(ConversionError) -> [Self]
}

/// What can be made a `Value`: the result of a service's method, an argument of a call. A type of your own that is `Encodable` conforms
/// with no more than the declaration, and becomes a map.
public protocol ValueEncodable: SendableMetatype {
  /// The value that stands for this.
  func asValue() throws(ConversionError) -> Value
  /// The value that stands for an array of these. The default is an array; that of `UInt8` is binary.
  static func value(of array: [Self]) throws(ConversionError) -> Value
}

/// Both directions.
public typealias ValueConvertible = ValueDecodable & ValueEncodable

extension ValueDecodable {
  public static func array(converting value: Value) throws(ConversionError) -> [Self] {
    guard case .array(let members) = value else { throw .needed("an array", not: value) }
    var converted: [Self] = []
    converted.reserveCapacity(members.count)
    for (index, member) in members.enumerated() {
      do throws(ConversionError) { converted.append(try Self(converting: member)) } catch { throw error.inside(index) }
    }
    return converted
  }
}

extension ValueEncodable {
  public static func value(of array: [Self]) throws(ConversionError) -> Value {
    var members: [Value] = []
    members.reserveCapacity(array.count)
    for (index, member) in array.enumerated() {
      do throws(ConversionError) { members.append(try member.asValue()) } catch { throw error.inside(index) }
    }
    return .array(members)
  }
}

extension Value: ValueConvertible {
  public init(converting value: Value) { self = value }
  public func asValue() -> Value { self }
}

extension Bool: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .bool(let flag) = value else { throw .needed("a bool", not: value) }
    self = flag
  }
  public func asValue() -> Value { .bool(self) }
}

extension String: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    guard case .string(let text) = value else { throw .needed("a string", not: value) }
    self = text
  }
  public func asValue() -> Value { .string(self) }
}

extension Double: ValueConvertible {
  public init(converting value: Value) throws(ConversionError) {
    let exact: Double?
    switch value {
    case .double(let number): exact = number
    case .int(let number): exact = Double(exactly: number)
    case .uint(let number): exact = Double(exactly: number)
    default: throw .needed("a number", not: value)
    }
    guard let exact else { throw .value("a float does not hold this integer exactly") }
    self = exact
  }
  public func asValue() -> Value { .double(self) }
}

extension Float: ValueConvertible {
  /// The nearest one: a float of Python has twice the bits.
  public init(converting value: Value) throws(ConversionError) {
    let number = try Double(converting: value)
    self = Float(number)
    guard isFinite || !number.isFinite else { throw .value("\(number) is beyond a float of 32 bits") }
  }
  public func asValue() -> Value { .double(Double(self)) }
}

extension ValueDecodable where Self: FixedWidthInteger & Decodable {
  public init(converting value: Value) throws(ConversionError) {
    let fitting: Self?
    switch value {
    case .int(let number): fitting = Self(exactly: number)
    case .uint(let number): fitting = Self(exactly: number)
    default: throw .needed("an integer", not: value)
    }
    guard let fitting else { throw .value("the integer is not within \(Self.min)...\(Self.max)") }
    self = fitting
  }
}

extension ValueEncodable where Self: FixedWidthInteger & Encodable {
  public func asValue() throws(ConversionError) -> Value {
    if let value = Int64(exactly: self) { return .int(value) }
    guard let value = UInt64(exactly: self) else { throw .value("\(self) is beyond 64 bits") }
    return .uint(value)
  }
}

extension Int: ValueConvertible {}
extension Int8: ValueConvertible {}
extension Int16: ValueConvertible {}
extension Int32: ValueConvertible {}
extension Int64: ValueConvertible {}
extension UInt: ValueConvertible {}
extension UInt16: ValueConvertible {}
extension UInt32: ValueConvertible {}
extension UInt64: ValueConvertible {}

extension UInt8: ValueConvertible {
  public static func array(converting value: Value) throws(ConversionError) -> [UInt8] {
    guard case .binary(let bytes) = value else { throw .needed("binary", not: value) }
    return bytes
  }
  public static func value(of array: [UInt8]) -> Value { .binary(array) }
}

extension Optional: ValueDecodable where Wrapped: ValueDecodable {
  public init(converting value: Value) throws(ConversionError) {
    self = value.isNil ? nil : try Wrapped(converting: value)
  }
}

extension Optional: ValueEncodable where Wrapped: ValueEncodable {
  public func asValue() throws(ConversionError) -> Value {
    guard let wrapped = self else { return .nil }
    return try wrapped.asValue()
  }
}

extension Array: ValueDecodable where Element: ValueDecodable {
  public init(converting value: Value) throws(ConversionError) { self = try Element.array(converting: value) }
}

extension Array: ValueEncodable where Element: ValueEncodable {
  public func asValue() throws(ConversionError) -> Value { try Element.value(of: self) }
}

extension Dictionary: ValueDecodable where Key: ValueDecodable, Value: ValueDecodable {
  /// Of a key that occurs twice the last counts, as in Python.
  public init(converting value: MessagePack.Value) throws(ConversionError) {
    guard case .map(let pairs) = value else { throw .needed("a map", not: value) }
    self.init(minimumCapacity: pairs.count)
    for pair in pairs {
      do throws(ConversionError) {
        let key = try Key(converting: pair.key)
        self[key] = try Value(converting: pair.value)
      } catch {
        throw error.inside(key: pair.key.stringValue ?? "a key")
      }
    }
  }
}

extension Dictionary: ValueEncodable where Key: ValueEncodable, Value: ValueEncodable {
  public func asValue() throws(ConversionError) -> MessagePack.Value {
    var pairs: [MessagePack.Value.Pair] = []
    pairs.reserveCapacity(count)
    for (key, value) in self {
      let key = try key.asValue()
      do throws(ConversionError) { pairs.append(.init(key, try value.asValue())) } catch {
        throw error.inside(key: key.stringValue ?? "a key")
      }
    }
    return .map(pairs)
  }
}

extension ValueDecodable where Self: RawRepresentable, RawValue: ValueDecodable {
  public init(converting value: Value) throws(ConversionError) {
    let raw = try RawValue(converting: value)
    guard let known = Self(rawValue: raw) else { throw .value("\(raw) is no \(Self.self)") }
    self = known
  }
}

extension ValueEncodable where Self: RawRepresentable, RawValue: ValueEncodable {
  public func asValue() throws(ConversionError) -> Value { try rawValue.asValue() }
}

extension ValueDecodable where Self: Decodable {
  public init(converting value: Value) throws(ConversionError) {
    self = try ValueDecoder().decode(Self.self, from: value)
  }
}

extension ValueEncodable where Self: Encodable {
  public func asValue() throws(ConversionError) -> Value { try ValueEncoder().encode(self) }
}

extension ValueDecodable where Self: Decodable & RawRepresentable, RawValue: ValueDecodable {
  public init(converting value: Value) throws(ConversionError) {
    let raw = try RawValue(converting: value)
    guard let known = Self(rawValue: raw) else { throw .value("\(raw) is no \(Self.self)") }
    self = known
  }
}

extension ValueEncodable where Self: Encodable & RawRepresentable, RawValue: ValueEncodable {
  public func asValue() throws(ConversionError) -> Value { try rawValue.asValue() }
}
