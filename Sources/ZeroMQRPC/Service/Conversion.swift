public import MessagePack

/// How a value becomes an argument, or why it does not: a closure, put together from others.
///
/// ```swift
/// methods.add("age", Parameter("years", .of(Int.self).where("0 to 150 years") { (0...150).contains($0) })) { (years: Int) in ... }
/// ```
public struct Conversion<Output>: Sendable {
  /// The value as an argument; what it throws is told to the caller.
  public let convert: @Sendable (Value) throws -> Output

  /// Any closure.
  public init(_ convert: @escaping @Sendable (Value) throws -> Output) { self.convert = convert }
}

extension Conversion where Output: ValueDecodable {
  /// That of the type itself.
  public init() { self.init { value in try Output(converting: value) } }

  /// That of the type itself.
  public static func of(_ type: Output.Type) -> Conversion { Conversion() }
}

extension Conversion {
  /// Refuses what the test does not hold for; the caller is told `what` is needed.
  public func `where`(_ what: String, _ test: @escaping @Sendable (Output) -> Bool) -> Conversion {
    Conversion { value in
      let output = try convert(value)
      guard test(output) else {
        throw ConversionError(code: .value, message: "\(what) needed, not \(value.pythonRepr)")
      }
      return output
    }
  }

  /// Goes on with what comes out.
  public func map<Next>(_ transform: @escaping @Sendable (Output) throws -> Next) -> Conversion<Next> {
    Conversion<Next> { value in try transform(try convert(value)) }
  }

  /// Takes nil too.
  public var orNil: Conversion<Output?> { Conversion<Output?> { value in value.isNil ? nil : try convert(value) } }

  /// Tries another one when this one refuses. What that throws is told.
  public func or(_ other: Conversion) -> Conversion {
    Conversion { value in
      do { return try convert(value) } catch { return try other.convert(value) }
    }
  }

  /// An array, whose members are all converted.
  public static func list<Element>(of element: Conversion<Element>) -> Conversion where Output == [Element] {
    Conversion { value in
      guard case .array(let members) = value else { throw ConversionError.needed("an array", not: value) }
      return try members.enumerated().map { index, member in
        do { return try element.convert(member) } catch let error as ConversionError { throw error.inside(index) }
      }
    }
  }

  /// A map with strings for keys, whose values are all converted.
  public static func map<Element>(of element: Conversion<Element>) -> Conversion where Output == [String: Element] {
    Conversion { value in
      guard case .map(let pairs) = value else {
        throw ConversionError.needed("a map", not: value)
      }
      var output: [String: Element] = [:]
      for pair in pairs {
        let key = try String(converting: pair.key)
        do { output[key] = try element.convert(pair.value) } catch let error as ConversionError {
          throw error.inside(key: key)
        }
      }
      return output
    }
  }
}
