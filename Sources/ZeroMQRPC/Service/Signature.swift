import MessagePack

/// The parameters of a method, and how the arguments of a call are bound to them: as Python's `inspect.Signature.bind` does, and in
/// its words.
struct Signature: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    /// By position or by name.
    case positional
    /// By name only.
    case keyword
    /// All that is left by position.
    case rest
    /// All that is left by name.
    case keywords
  }

  struct Entry: Sendable, Hashable {
    let name: String
    var kind = Kind.positional
    var isRequired = true
    /// As Python writes it.
    var type = "Any"
    /// The default, where there is a value for it.
    var fallback: Value?
  }

  let entries: [Entry]
  /// The type of the result, as Python writes it.
  let result: String
  /// All by position: a call that gives just these needs no binding.
  private let isPlain: Bool

  init(_ entries: [Entry], result: String = "Any") {
    self.result = result
    var afterRest = false
    self.entries = entries.map { entry in
      var entry = entry
      if afterRest, entry.kind == .positional { entry.kind = .keyword }
      if entry.kind == .rest { afterRest = true }
      return entry
    }
    isPlain = self.entries.allSatisfy { $0.kind == .positional }
  }

  init<each Argument: Sendable>(_ parameters: repeat Parameter<each Argument>, result: Any.Type) {
    var entries: [Entry] = []
    repeat entries.append((each parameters).entry)
    self.init(entries, result: PythonTypeName.of(result))
  }

  /// What is wrong with the parameters themselves.
  var faults: [String] {
    var faults: [String] = []
    var seen: Set<String> = []
    for entry in entries where !seen.insert(entry.name).inserted {
      faults.append("has two parameters named '\(entry.name)'")
    }
    if entries.count(where: { $0.kind == .rest }) > 1 { faults.append("has two parameters for the rest") }
    if entries.count(where: { $0.kind == .keywords }) > 1 { faults.append("has two parameters for other keywords") }
    if let index = entries.firstIndex(where: { $0.kind == .keywords }), index < entries.count - 1 {
      faults.append("has parameters behind the one for other keywords, which comes last")
    }
    return faults
  }

  /// Binds a call's arguments; without keywords none is given by name. Throws `ParametersError`.
  func bind(_ positional: Value, _ keywords: Value?) throws(RemoteException) -> BoundArguments {
    if isPlain, case .none = keywords, case .array(let given) = positional, given.count == entries.count {
      return BoundArguments(all: given)
    }
    guard let given = positional.pythonMembers else {
      throw .parameters("inspect.Signature.bind() argument after * must be an iterable, not \(positional.pythonType)")
    }
    let keywords = keywords ?? .map([])
    guard case .map(let pairs) = keywords else {
      throw .parameters("inspect.Signature.bind() argument after ** must be a mapping, not \(keywords.pythonType)")
    }
    var named: [String: Value] = [:]
    for pair in pairs {
      guard case .string(let name) = pair.key else { throw .parameters("keywords must be strings") }
      named[name] = pair.value
    }
    var values = [Value?](repeating: nil, count: entries.count)
    // Positions first: Python tells what is missing here before it looks at the names that are left.
    let position = try bindPositions(given, named, &values)
    for index in entries.indices.dropFirst(position) {
      let entry = entries[index]
      switch entry.kind {
      case .rest: values[index] = values[index] ?? .array([])
      case .keywords: break
      case .positional, .keyword:
        values[index] = named.removeValue(forKey: entry.name)
        if values[index] == nil, entry.isRequired { throw .missing(entry.name) }
      }
    }
    // In the order in which they were given; of a name that was given twice the last value counts.
    let left = pairs.compactMap { pair -> Value.Pair? in
      guard case .string(let name) = pair.key, let value = named.removeValue(forKey: name) else { return nil }
      return .init(pair.key, value)
    }
    if let index = entries.firstIndex(where: { $0.kind == .keywords }) {
      values[index] = .map(left)
    } else if let name = left.first?.key {
      throw .parameters("got an unexpected keyword argument \(name.pythonRepr)")
    }
    return BoundArguments(values)
  }

  /// Returns where names come in.
  private func bindPositions(
    _ given: [Value], _ named: [String: Value], _ values: inout [Value?]
  ) throws(RemoteException) -> Int {
    var index = 0
    for (count, value) in given.enumerated() {
      guard index < entries.count else { throw .parameters("too many positional arguments") }
      let entry = entries[index]
      switch entry.kind {
      case .keyword, .keywords: throw .parameters("too many positional arguments")
      case .rest:
        values[index] = .array(Array(given[count...]))
        return index
      case .positional:
        if named[entry.name] != nil {
          throw .parameters("multiple values for argument \(PythonRepr.of(entry.name))")
        }
        values[index] = value
        index += 1
      }
    }
    return index
  }
}

/// The values of one call in the order of the parameters; nil where the default counts.
struct BoundArguments: Sendable {
  private enum Values {
    case all([Value])
    case some([Value?])
  }

  private let values: Values
  /// Of the parameter that is next.
  private(set) var index = 0

  init(all values: [Value]) { self.values = .all(values) }
  init(_ values: [Value?]) { self.values = .some(values) }

  mutating func next() -> Value? {
    defer { index += 1 }
    return switch values {
    case .all(let values): index < values.count ? values[index] : nil
    case .some(let values): index < values.count ? values[index] : nil
    }
  }
}

extension RemoteException {
  fileprivate static func missing(_ name: String) -> RemoteException {
    .parameters("missing a required argument: \(PythonRepr.of(name))")
  }
}
