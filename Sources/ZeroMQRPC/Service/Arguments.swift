public import MessagePack

/// The arguments of one call, bound to the names of the method's parameters.
public struct Arguments: Sendable, Hashable {
  private let named: [String: Value]
  /// What was given by position beyond the named parameters, for methods that take any number.
  public let rest: [Value]

  init(named: [String: Value], rest: [Value]) {
    self.named = named
    self.rest = rest
  }

  /// The value of a parameter, its default where none was given.
  public subscript(_ name: String) -> Value { named[name] ?? .nil }

  /// A parameter that has to be a number. Throws `TypeError`, as Python's arithmetic does.
  public func number(_ name: String) throws(RemoteException) -> Double {
    switch self[name] {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    default: throw .type("'\(name)' must be a number, not \(self[name].pythonRepr)")
    }
  }
}

/// What a method is called with: names, defaults, and whether more may follow.
///
/// Binding follows Python's `inspect.Signature.bind`: positionals first, then keywords.
public struct Parameters: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// One parameter: a name, and a default where the caller may leave it out.
  public struct Parameter: Sendable, Hashable, ExpressibleByStringLiteral {
    let name: String
    let fallback: Value?

    /// A parameter that has to be given.
    public init(stringLiteral name: String) { (self.name, fallback) = (name, nil) }
    /// A parameter with a default.
    public init(_ name: String, default fallback: Value) { (self.name, self.fallback) = (name, fallback) }
  }

  let parameters: [Parameter]
  let takesRest: Bool

  /// Exactly these parameters.
  public init(arrayLiteral parameters: Parameter...) { (self.parameters, takesRest) = (parameters, false) }
  /// These parameters, and any number more by position.
  public init(_ parameters: [Parameter], rest: Bool) { (self.parameters, takesRest) = (parameters, rest) }
  /// Any number by position.
  public static let any = Parameters([], rest: true)

  /// Binds a call's arguments. Throws `ParametersError` in Python's words.
  func bind(_ positional: Value, _ keywords: Value) throws(RemoteException) -> Arguments {
    guard let values = positional.pythonMembers else {
      throw .parameters("inspect.Signature.bind() argument after * must be an iterable, not \(positional.pythonType)")
    }
    guard case .map(let pairs) = keywords else {
      throw .parameters("inspect.Signature.bind() argument after ** must be a mapping, not \(keywords.pythonType)")
    }
    var named: [String: Value] = [:]
    for (parameter, value) in zip(parameters, values) { named[parameter.name] = value }
    if values.count > parameters.count, !takesRest { throw .parameters("too many positional arguments") }
    for pair in pairs {
      guard case .string(let name) = pair.key else { throw .parameters("keywords must be strings") }
      guard parameters.contains(where: { $0.name == name }) else {
        try requireAll(named, or: pairs)
        throw .parameters("got an unexpected keyword argument '\(name)'")
      }
      guard named.updateValue(pair.value, forKey: name) == nil else {
        throw .parameters("multiple values for argument '\(name)'")
      }
    }
    try requireAll(named, or: [])
    for parameter in parameters where named[parameter.name] == nil { named[parameter.name] = parameter.fallback }
    return Arguments(named: named, rest: Array(values.dropFirst(parameters.count)))
  }

  /// Python reports a missing argument before an unexpected one.
  private func requireAll(_ named: [String: Value], or pairs: [Value.Pair]) throws(RemoteException) {
    for parameter in parameters where named[parameter.name] == nil && parameter.fallback == nil {
      if pairs.contains(where: { $0.key == .string(parameter.name) }) { continue }
      throw .parameters("missing a required argument: '\(parameter.name)'")
    }
  }
}

extension Value {
  /// What Python iterates over, as `method(*args)` does: the members of an array, the characters of a string, the bytes of a
  /// binary, the keys of a map.
  fileprivate var pythonMembers: [Value]? {
    switch self {
    case .array(let members): members
    // Python counts code points as characters.
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    case .binary(let bytes): bytes.map { .int(Int64($0)) }
    case .map(let pairs): pairs.map(\.key)
    default: nil
    }
  }
}
