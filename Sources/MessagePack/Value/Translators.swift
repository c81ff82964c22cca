/// Types that travel as extensions of MessagePack, as aiozmq's `translation_table` has them: a code for each, with a function for either
/// way.
///
/// A client or a service has one (`translators`), and types that are `Translated` then travel by it wherever they stand. A type of one's own
/// needs none when it is `ValueConvertible` and makes a `Value.ext`: it converts itself, also where a table has it.
///
/// ```swift
/// var shapes = Translators()
/// try shapes.add(Point.self, code: 0) { try Packer().pack([.int($0.x), .int($0.y)]) } unpack: { try Point(packed: $0) }
/// let translators = shapes
/// let client = try await RPCClient.connect([endpoint]) { $0.translators = translators }
/// let swapped: Point = try await client.call.swap(Point(x: 1, y: 2))
/// ```
public struct Translators: Sendable {
  private struct Entry: Sendable {
    let code: Int8
    let type: ObjectIdentifier
    /// Nil for an object of another type.
    let pack: @Sendable (any Sendable) throws -> [UInt8]?
    let unpack: @Sendable ([UInt8]) throws -> any Sendable
  }

  private var entries: [Entry] = []

  /// None; Python's dates are known without.
  public init() {}

  /// Adds a type with its code. Throws for a code that is not within 0...127, or that another type has. 123 to 127 are those of Python's
  /// dates, and come to mean this type.
  public mutating func add<Object: Sendable>(
    _ type: Object.Type, code: Int, pack: @escaping @Sendable (Object) throws -> [UInt8],
    unpack: @escaping @Sendable ([UInt8]) throws -> Object
  ) throws(ConversionError) {
    guard let short = Int8(exactly: code), short >= 0 else {
      throw .value("the code \(code) of \(type) is not within 0...127: MessagePack keeps those below for itself")
    }
    guard !entries.contains(where: { $0.code == short }) else {
      throw .value("the code \(code) of \(type) is that of another type: give it one of its own")
    }
    entries.append(
      Entry(code: short, type: ObjectIdentifier(type), pack: { try ($0 as? Object).map(pack) }, unpack: unpack))
  }

  /// The value that stands for the object: by the entry of exactly its type, else by the first one whose type it is a kind of, else as it
  /// says itself. Throws for an object that nobody knows, and what packing throws.
  public func value(of object: any Sendable) throws -> Value {
    let type = ObjectIdentifier(Swift.type(of: object))
    for entry in entries.filter({ $0.type == type }) + entries {
      if let bytes = try entry.pack(object) { return .ext(entry.code, bytes) }
    }
    guard let own = object as? any ValueEncodable, !(own is any Translated) else {
      throw ConversionError(code: .type, message: "Unknown type: \(object)")
    }
    return try own.asValue()
  }

  /// What the value stands for: an object of the type that has its code, a date of Python's; else the value itself, as of a code that
  /// nobody has, or bytes that its unpacking refuses.
  public func object(of value: Value) -> any Sendable {
    guard case .ext(let code, let bytes) = value else { return value }
    if let entry = entries.first(where: { $0.code == code }) { return (try? entry.unpack(bytes)) ?? value }
    switch PickledDate(value) {
    case .date(let date)?: return date
    case .time(let time)?: return time
    case .datetime(let moment)?: return moment
    case .timedelta(let delta)?: return delta
    case .zone(let zone)?: return zone
    case nil: return value
    }
  }
}
