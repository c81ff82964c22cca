/// A type that travels by the table of whoever sends or receives it: the `translators` of a client or a service. The declaration is
/// enough, and its values may then be arguments and results, also within arrays, maps, optionals and `Codable` types.
///
/// ```swift
/// struct Point: Translated { let x, y: Int }
/// ```
///
/// A class that others inherit from cannot be one: see `Translation`.
public protocol Translated: ValueConvertible, Sendable {}

extension Translated {
  /// The object that the table makes of the value. Throws when that is of another type, as of bytes that its unpacking refuses.
  public init(converting value: Value) throws(ConversionError) {
    self = try Translators.object(of: value, as: Self.self)
  }

  /// The extension that the table makes of it. Throws when the table has neither the type nor one that it is a kind of, and what packing
  /// throws.
  public func asValue() throws(ConversionError) -> Value { try Translators.current(for: self).converted(self) }
}

// Of a type that is `Codable` too, the table comes first.
extension Translated where Self: Decodable {
  /// As without `Decodable`.
  public init(converting value: Value) throws(ConversionError) {
    self = try Translators.object(of: value, as: Self.self)
  }
}

extension Translated where Self: Encodable {
  /// As without `Encodable`.
  public func asValue() throws(ConversionError) -> Value { try Translators.current(for: self).converted(self) }
}

extension Translators {
  /// That of whoever converts just now.
  @TaskLocal private static var current: Translators?

  /// Runs the body, in which `Translated` types travel by this table. Clients and services do so for what they send and receive; this is
  /// for conversions of one's own, such as of the arguments of a `RemoteError` that was caught:
  /// `try table.use { try Point(converting: error.args[0]) }`.
  public func use<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.$current.withValue(self, operation: body)
  }

  /// The same of a body that suspends.
  public func use<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await Self.$current.withValue(self, operation: body, isolation: isolation)
  }

  static func current(for object: some Sendable) throws(ConversionError) -> Translators {
    guard let current else {
      throw .value("\(type(of: object)) travels by a table: set the `translators` of the client or the service")
    }
    return current
  }

  static func object<Object: Sendable>(
    of value: Value, as type: Object.Type
  ) throws(ConversionError) -> Object {
    guard let object = current?.object(of: value) as? Object else { throw .needed("a \(type)", not: value) }
    return object
  }

  func converted(_ object: some Sendable) throws(ConversionError) -> Value {
    do { return try value(of: object) } catch let error as ConversionError { throw error } catch {
      throw .value("\(type(of: object)): \(error)")
    }
  }
}
