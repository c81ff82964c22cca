/// `Encodable` types into a `Value`: structures become maps in the order in which they encode their members.
public struct ValueEncoder: Sendable {
  /// An encoder.
  public init() {}

  /// The value that stands for this.
  public func encode<T: Encodable>(_ value: T) throws(ConversionError) -> Value {
    let sheet = Sheet(codingPath: [])
    do { try value.encode(to: sheet) } catch { throw ConversionError(encoding: error) }
    return sheet.value
  }
}

extension ConversionError {
  fileprivate init(encoding error: any Error) {
    switch error {
    case let error as ConversionError: self = error
    case EncodingError.invalidValue(_, let context):
      self.init(code: .value, message: context.debugDescription, place: Self.place(context.codingPath))
    default: self.init(code: .value, message: "\(error)")
    }
  }
}

/// A place that a value is written to. What is nested writes to sheets of its own, which are put together at the end.
private final class Sheet: Encoder {
  private enum Content {
    case one(Value)
    case array([Sheet])
    case map([(key: String, sheet: Sheet)])
  }

  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }
  private var content: Content?

  init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

  /// A type that encodes nothing is an empty map, as with Swift's own encoders.
  var value: Value {
    switch content {
    case .one(let value): value
    case .array(let sheets): .array(sheets.map(\.value))
    case .map(let members): .map(members.map { .init(.string($0.key), $0.sheet.value) })
    case nil: .map([])
    }
  }

  var count: Int { if case .array(let sheets) = content { sheets.count } else { 0 } }

  func beMap() { if case .map = content {} else { content = .map([]) } }
  func beArray() { if case .array = content {} else { content = .array([]) } }

  func member(_ key: any CodingKey) -> Sheet {
    let sheet = Sheet(codingPath: codingPath + [key])
    guard case .map(var members) = content else { return sheet }
    content = nil
    if let index = members.firstIndex(where: { $0.key == key.stringValue }) {
      members[index].sheet = sheet
    } else {
      members.append((key.stringValue, sheet))
    }
    content = .map(members)
    return sheet
  }

  func element() -> Sheet {
    let sheet = Sheet(codingPath: codingPath + [ElementKey(count)])
    guard case .array(var sheets) = content else { return sheet }
    content = nil
    sheets.append(sheet)
    content = .array(sheets)
    return sheet
  }

  /// Writes a value here. Types that convert themselves do so.
  func write<T: Encodable>(_ value: T) throws {
    guard let convertible = value as? any ValueEncodable else { return try value.encode(to: self) }
    do throws(ConversionError) {
      content = .one(try convertible.asValue())
    } catch {
      throw ConversionError(
        code: error.code, message: error.message, place: ConversionError.place(codingPath) + error.place)
    }
  }

  func writeNil() { content = .one(.nil) }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    beMap()
    return KeyedEncodingContainer(MemberSheets(sheet: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    beArray()
    return ElementSheets(sheet: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension Sheet: SingleValueEncodingContainer {
  func encodeNil() throws { writeNil() }
  func encode<T: Encodable>(_ value: T) throws { try write(value) }
}

private struct MemberSheets<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let sheet: Sheet
  var codingPath: [any CodingKey] { sheet.codingPath }

  func encodeNil(forKey key: Key) throws { sheet.member(key).writeNil() }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try sheet.member(key).write(value) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { sheet.member(key).container(keyedBy: type) }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { sheet.member(key).unkeyedContainer() }
  func superEncoder() -> any Encoder { sheet.member(Super()) }
  func superEncoder(forKey key: Key) -> any Encoder { sheet.member(key) }
}

private struct ElementSheets: UnkeyedEncodingContainer {
  let sheet: Sheet
  var codingPath: [any CodingKey] { sheet.codingPath }
  var count: Int { sheet.count }

  func encodeNil() throws { sheet.element().writeNil() }
  func encode<T: Encodable>(_ value: T) throws { try sheet.element().write(value) }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    sheet.element().container(keyedBy: type)
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { sheet.element().unkeyedContainer() }
  func superEncoder() -> any Encoder { sheet.element() }
}

/// The key under which a class encodes what it inherits.
private struct Super: CodingKey {
  init() {}
  init?(stringValue: String) { nil }
  init?(intValue: Int) { nil }
  var stringValue: String { "super" }
  var intValue: Int? { nil }
}
