import MessagePack

/// A handler that also has `rpc.describe`, which tells what a service can be called with.
struct Described: Handler {
  /// The namespace `rpc`, which may have members of the service's own.
  private struct Reserved: Handler {
    let own: (any Handler)?
    let describe: Method

    func lookup(_ name: String) throws -> (any Handler)? { name == "describe" ? describe : try own?.lookup(name) }
    var method: Method? { own?.method }
  }

  private let handler: any Handler
  private let describe: Method

  init(_ handler: any Handler) {
    self.handler = handler
    let answer: Value = ["methods": .array(Methods.all(in: handler).map { Self.description($0.name, $0.method) })]
    describe = Method { answer }
  }

  func lookup(_ name: String) throws -> (any Handler)? {
    let own = try handler.lookup(name)
    return name == "rpc" ? Reserved(own: own, describe: describe) : own
  }

  var method: Method? { handler.method }

  private static func description(_ name: String, _ method: Method) -> Value {
    [
      "name": .string(name), "parameters": .array(method.signature.entries.map(description)),
      "result": .string(method.signature.result), "text": method.text.map { .string($0) } ?? .nil,
    ]
  }

  private static func description(_ entry: Signature.Entry) -> Value {
    var parts: [Value.Pair] = [
      .init("name", .string(entry.name)), .init("kind", .string(entry.kind.pythonName)),
      .init("type", .string(entry.type)),
    ]
    if let fallback = entry.fallback { parts.append(.init("default", fallback)) }
    return .map(parts + [.init("required", .bool(entry.isRequired))])
  }
}

extension Signature.Kind {
  /// As Python's `inspect` names it.
  fileprivate var pythonName: String {
    switch self {
    case .positional: "POSITIONAL_OR_KEYWORD"
    case .keyword: "KEYWORD_ONLY"
    case .rest: "VAR_POSITIONAL"
    case .keywords: "VAR_KEYWORD"
    }
  }
}

/// The names of types as Python writes them.
enum PythonTypeName {
  /// `int`, `list[str]`, `float | None`; a type that Python does not have by its own name.
  static func of(_ type: Any.Type) -> String {
    if let known = known[ObjectIdentifier(type)] { return known }
    return (type as? any Composed.Type)?.pythonTypeName ?? "\(type)"
  }

  fileprivate protocol Composed { static var pythonTypeName: String { get } }

  private static let known: [ObjectIdentifier: String] = {
    var known: [ObjectIdentifier: String] = [:]
    for integer in [
      Int.self, Int8.self, Int16.self, Int32.self, Int64.self, UInt.self, UInt8.self, UInt16.self, UInt32.self,
      UInt64.self,
    ] as [Any.Type] { known[ObjectIdentifier(integer)] = "int" }
    let others: [(Any.Type, String)] = [
      (Void.self, "None"), (Bool.self, "bool"), (Double.self, "float"), (Float.self, "float"), (String.self, "str"),
      ([UInt8].self, "bytes"), (Value.self, "Any"), (PythonDate.self, "date"), (PythonTime.self, "time"),
      (PythonDateTime.self, "datetime"), (PythonTimeDelta.self, "timedelta"), (PythonTimeZone.self, "tzinfo"),
    ]
    for (type, name) in others { known[ObjectIdentifier(type)] = name }
    return known
  }()
}

extension Optional: PythonTypeName.Composed {
  fileprivate static var pythonTypeName: String { "\(PythonTypeName.of(Wrapped.self)) | None" }
}

extension Array: PythonTypeName.Composed {
  fileprivate static var pythonTypeName: String { "list[\(PythonTypeName.of(Element.self))]" }
}

extension Dictionary: PythonTypeName.Composed {
  fileprivate static var pythonTypeName: String {
    "dict[\(PythonTypeName.of(Key.self)), \(PythonTypeName.of(Value.self))]"
  }
}
