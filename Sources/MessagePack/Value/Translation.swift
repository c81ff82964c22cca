/// An object that travels by the table of whoever sends or receives it, as `Translated` types do, for those that cannot be that: a class
/// and those that inherit from it, a type of another module, or anything that a table or Python's dates have, as `Translation<any Sendable>`.
///
/// ```swift
/// methods.add("area", "shape") { (shape: Translation<Shape>) in shape.object.area }
/// let shape: Translation<Shape> = try await client.call.larger(Translation(Circle(radius: 1)))
/// ```
public struct Translation<Object: Sendable>: ValueConvertible, Sendable {
  /// What the value is here.
  public let object: Object

  /// That object, to be sent.
  public init(_ object: Object) { self.object = object }

  /// The object that the table makes of the value. Throws when that is of another type, as of bytes that its unpacking refuses.
  public init(converting value: Value) throws(ConversionError) {
    object = try Translators.object(of: value, as: Object.self)
  }

  /// The extension that the table makes of it. Throws when nobody knows the object, and what packing throws.
  public func asValue() throws(ConversionError) -> Value { try Translators.current(for: object).converted(object) }
}
