public import MessagePack

/// A parameter of a method: its name, how a value becomes its argument, and a default where it may be left out.
///
/// A string is one that has to be given:
/// `methods.add("resize", "name", Parameter("width", default: 640), Parameter(keyword: "crop", default: false)) { ... }`
public struct Parameter<Argument: Sendable>: Sendable {
  /// The name, which callers may give the argument by.
  public let name: String
  let entry: Signature.Entry
  let taker: ArgumentTaker<Argument>

  private init(
    _ name: String, _ kind: Signature.Kind, _ fallback: Argument?, _ conversion: Conversion<Argument>,
    type: Any.Type = Argument.self
  ) {
    self.name = name
    let isCollected = kind == .rest || kind == .keywords
    entry = .init(
      name: name, kind: kind, isRequired: fallback == nil && !isCollected, type: PythonTypeName.of(type),
      fallback: (fallback as? any ValueEncodable).flatMap { try? $0.asValue() })
    taker = ArgumentTaker(name, fallback, conversion)
  }

  /// One with a conversion of its own, that has to be given.
  public init(_ name: String, _ conversion: Conversion<Argument>) { self.init(name, .positional, nil, conversion) }

  /// One with a conversion of its own, that may be left out. The default is not converted.
  public init(_ name: String, default fallback: Argument, _ conversion: Conversion<Argument>) {
    self.init(name, .positional, fallback, conversion)
  }

  /// One that can be given by its name only.
  public init(keyword name: String, _ conversion: Conversion<Argument>) { self.init(name, .keyword, nil, conversion) }

  /// One that can be given by its name only, and may be left out.
  public init(keyword name: String, default fallback: Argument, _ conversion: Conversion<Argument>) {
    self.init(name, .keyword, fallback, conversion)
  }

  /// What is given by position beyond the parameters before it, as Python's `*args`: none or more. Those behind it can be given by
  /// their names only.
  public init<Element: ValueDecodable>(rest name: String) where Argument == [Element] {
    self.init(name, .rest, nil, .list(of: .init()), type: Element.self)
  }

  /// What is given by names that no parameter has, as Python's `**kwargs`.
  public init<Element: ValueDecodable>(keywords name: String) where Argument == [String: Element] {
    self.init(name, .keywords, nil, .init(), type: Element.self)
  }
}

extension Parameter where Argument: ValueDecodable {
  /// One that has to be given.
  public init(_ name: String) { self.init(name, .positional, nil, .init()) }

  /// One that may be left out.
  public init(_ name: String, default fallback: Argument) { self.init(name, .positional, fallback, .init()) }

  /// One that can be given by its name only.
  public init(keyword name: String) { self.init(name, .keyword, nil, .init()) }

  /// One that can be given by its name only, and may be left out.
  public init(keyword name: String, default fallback: Argument) { self.init(name, .keyword, fallback, .init()) }
}

extension Parameter: ExpressibleByUnicodeScalarLiteral where Argument: ValueDecodable {
  public init(unicodeScalarLiteral name: String) { self.init(name) }
}

extension Parameter: ExpressibleByExtendedGraphemeClusterLiteral where Argument: ValueDecodable {
  public init(extendedGraphemeClusterLiteral name: String) { self.init(name) }
}

extension Parameter: ExpressibleByStringLiteral where Argument: ValueDecodable {
  public init(stringLiteral name: String) { self.init(name) }
}
