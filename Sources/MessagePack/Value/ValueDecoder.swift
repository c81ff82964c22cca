/// `Decodable` types out of a `Value`, with the conversions of `ValueDecodable`: nothing is rounded, no kind is taken for another.
public struct ValueDecoder: Sendable {
  /// A decoder.
  public init() {}

  /// The value as that type: a structure out of a map with strings for keys, of which those that it does not know are left out.
  public func decode<T: Decodable>(_ type: T.Type, from value: Value) throws(ConversionError) -> T {
    do {
      return try T(from: Node(value: value, codingPath: []))
    } catch {
      throw ConversionError(decoding: error)
    }
  }
}

extension ConversionError {
  /// What Swift's own decoders throw, with the place first.
  fileprivate init(decoding error: any Error) {
    switch error {
    case let error as ConversionError: self = error
    case DecodingError.keyNotFound(let key, let context):
      self.init(code: .value, message: "'\(key.stringValue)' is missing", place: Self.place(context.codingPath))
    case DecodingError.typeMismatch(_, let context):
      self.init(code: .type, message: context.debugDescription, place: Self.place(context.codingPath))
    case DecodingError.valueNotFound(_, let context), DecodingError.dataCorrupted(let context):
      self.init(code: .value, message: context.debugDescription, place: Self.place(context.codingPath))
    default: self.init(code: .value, message: "\(error)")
    }
  }

  static func place(_ path: [any CodingKey]) -> String {
    path.reduce(into: "") { $0 += $1.intValue.map { "[\($0)]" } ?? ".\($1.stringValue)" }
  }
}

/// A value on its way to a type. Decoders and their containers are one thing here: a value and where it stands.
private struct Node: Decoder {
  let value: Value
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .map(let pairs) = value else { throw failure(.needed("a map", not: value)) }
    var members: [String: Value] = [:]
    for pair in pairs { if case .string(let key) = pair.key { members[key] = pair.value } }
    return KeyedDecodingContainer(Members(members: members, codingPath: codingPath))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let values) = value else { throw failure(.needed("an array", not: value)) }
    return Elements(values: values, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { self }

  /// A member, an element or the value itself as what is asked for. Types that convert themselves do so.
  func convert<T: Decodable>(_ type: T.Type) throws -> T {
    guard let convertible = T.self as? any ValueDecodable.Type else { return try T(from: self) }
    do throws(ConversionError) {
      guard let converted = try convertible.init(converting: value) as? T else {
        throw .value("\(T.self) converts to another type")
      }
      return converted
    } catch {
      throw failure(error)
    }
  }

  private func failure(_ error: ConversionError) -> ConversionError {
    ConversionError(code: error.code, message: error.message, place: ConversionError.place(codingPath) + error.place)
  }
}

extension Node: SingleValueDecodingContainer {
  func decodeNil() -> Bool { value.isNil }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try convert(type) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let members: [String: Value]
  let codingPath: [any CodingKey]

  var allKeys: [Key] { members.keys.compactMap { Key(stringValue: $0) } }
  func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
  func decodeNil(forKey key: Key) throws -> Bool { try node(key).value.isNil }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try node(key).convert(type) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try node(key).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try node(key).unkeyedContainer()
  }

  func superDecoder() throws -> any Decoder {
    Node(value: members["super"] ?? .nil, codingPath: codingPath)
  }

  func superDecoder(forKey key: Key) throws -> any Decoder { try node(key) }

  private func node(_ key: Key) throws -> Node {
    guard let value = members[key.stringValue] else {
      throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "the key is missing"))
    }
    return Node(value: value, codingPath: codingPath + [key])
  }
}

private struct Elements: UnkeyedDecodingContainer {
  let values: [Value]
  let codingPath: [any CodingKey]
  private(set) var currentIndex = 0

  init(values: [Value], codingPath: [any CodingKey]) {
    self.values = values
    self.codingPath = codingPath
  }

  var count: Int? { values.count }
  var isAtEnd: Bool { currentIndex == values.count }

  mutating func decodeNil() throws -> Bool {
    guard try peek(Never.self).value.isNil else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
    let decoded = try peek(type).convert(type)
    currentIndex += 1
    return decoded
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
    let container = try peek(Nested.self).container(keyedBy: type)
    currentIndex += 1
    return container
  }

  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    let container = try peek(Never.self).unkeyedContainer()
    currentIndex += 1
    return container
  }

  mutating func superDecoder() throws -> any Decoder {
    let node = try peek(Never.self)
    currentIndex += 1
    return node
  }

  private func peek(_ type: Any.Type) throws -> Node {
    guard !isAtEnd else {
      throw DecodingError.valueNotFound(
        type, .init(codingPath: codingPath, debugDescription: "the array has only \(values.count) members"))
    }
    return Node(value: values[currentIndex], codingPath: codingPath + [ElementKey(currentIndex)])
  }
}

/// The place of an element.
struct ElementKey: CodingKey {
  let index: Int
  init(_ index: Int) { self.index = index }
  init?(stringValue: String) { nil }
  init?(intValue: Int) { index = intValue }
  var stringValue: String { "\(index)" }
  var intValue: Int? { index }
}
