import MessagePack

/// A type as Python writes it, as a schema of JSON, and as what arguments are held to: `int | None`, `list[str]`,
/// `Optional[dict[str, float]]`.
///
/// What is not known is any value. `None` alone is as well: generators of clients have no type for it.
struct PythonType: Sendable, Hashable {
  /// What is inside a value.
  private indirect enum Content: Sendable, Hashable {
    case nothing
    /// Of a list or a dictionary, all its values.
    case values(PythonType)
    /// An object that stands for bytes.
    case bytes
  }

  /// The types of JSON that it may be; empty for any.
  private var types: [String]
  private var content = Content.nothing

  private static let anything = PythonType(types: [])
  private static let mostNested = 16

  /// Reads what stands behind the colon of a parameter or the arrow of a result.
  init(_ text: String) { self = Self.read(text[...], depth: 0) }

  private init(types: [String], _ content: Content = .nothing) { (self.types, self.content) = (types, content) }

  /// The first word of a type that is none of those that are known; nil when all are. One of nothing but blanks is any value.
  static func unknownWord(in text: String) -> String? {
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
    return words.first { !known.contains($0.lowercased()) }.map(String.init)
  }

  /// Whether it is written as a type is: words, each with others in brackets behind it or not, with commas and bars between them.
  static func isWellFormed(_ text: String) -> Bool { text.isEmpty || isWellFormed(text[...], depth: 0) }

  private static func isWellFormed(_ text: Substring, depth: Int) -> Bool {
    guard depth < mostNested else { return false }
    let choices = text.split(at: "|")
    if choices.count > 1 { return choices.allSatisfy { isWellFormed($0, depth: depth + 1) } }
    let text = text.trimmed
    let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    let rest = text.dropFirst(name.count)
    guard !name.isEmpty else { return false }
    if rest.isEmpty { return true }
    guard rest.first == "[", rest.last == "]", rest.count > 2 else { return false }
    return rest.dropFirst().dropLast().split(at: ",").allSatisfy { isWellFormed($0, depth: depth + 1) }
  }

  /// The words that types are made of, in small letters.
  static let known: Set<String> = [
    "int", "float", "number", "numbers.number", "bool", "str", "bytes", "bytearray", "list", "tuple", "sequence",
    "iterable",
    "dict", "mapping", "optional", "union", "none", "any",
  ]

  /// The schema, in JSON.
  var schema: String {
    var members: [String] = []
    if let only = types.first {
      members.append(
        types.count == 1
          ? #""type":"\#(only)""# : #""type":[\#(types.map { #""\#($0)""# }.joined(separator: ","))]"#)
    }
    switch content {
    case .nothing: break
    case .values(let type):
      members.append(#""\#(types.contains("array") ? "items" : "additionalProperties")":\#(type.schema)"#)
    case .bytes:
      members.append(#""properties":{"$bin":{"type":"string","contentEncoding":"base64"}},"required":["$bin"]"#)
    }
    return "{\(members.joined(separator: ","))}"
  }

  /// The schema of a parameter, with what it is when it is left out, if that is of this type.
  func schema(fallback: ServiceDescription.Fallback?) -> String {
    let schema = schema
    guard let fallback, takes(fallback) else { return schema }
    return "\(schema.dropLast())\(types.isEmpty ? "" : ",")\"default\":\(fallback.json)}"
  }

  private func takes(_ fallback: ServiceDescription.Fallback) -> Bool {
    types.isEmpty || types.contains(fallback.type) || fallback.type == "integer" && types.contains("number")
  }

  /// The same as results are shown: where JSON has no number for one, it is null or text, as the service says.
  func shown(in style: Configuration.JSONStyle) -> PythonType {
    var shown = self
    func add(_ type: String) { if !shown.types.contains(type) { shown.types.append(type) } }
    if types.contains("integer"), style.integers == .string { add("string") }
    if types.contains("number") {
      if style.integers == .string || style.nonFinite == .string { add("string") }
      if style.nonFinite == .null { add("null") }
    }
    if case .values(let inner) = content { shown.content = .values(inner.shown(in: style)) }
    return shown
  }

  /// Whether it is text and nothing else, so that a query needs no JSON for it.
  var isText: Bool { types == ["string"] }

  /// Whether some value that a route reads as that is of this type.
  func mayTake(_ kind: Configuration.Route.Kind) -> Bool {
    if types.isEmpty { return true }
    switch kind {
    case .str: return types.contains("string")
    case .int: return types.contains("integer") || types.contains("number")
    case .float: return types.contains("number")
    case .bool: return types.contains("boolean")
    case .json: return true
    }
  }

  /// Whether it is one number, text or truth value, or none.
  var isScalar: Bool { !types.isEmpty && Set(types).isDisjoint(with: ["array", "object"]) }

  /// Steps over the next value, all of it if it is of this type; false when it is not. An integer is a float too, as in Python.
  func takes(_ cursor: inout Cursor) throws(TranscodingError) -> Bool {
    if types.isEmpty {
      try cursor.skipValue()
      return true
    }
    switch try cursor.next() {
    case .nil: return types.contains("null")
    case .bool: return types.contains("boolean")
    case .int, .uint: return types.contains("integer") || types.contains("number")
    case .double: return types.contains("number")
    case .string: return types.contains("string")
    case .binary: return content == .bytes
    case .array(let count):
      guard types.contains("array"), case .values(let type) = content else { return false }
      for _ in 0..<count {
        guard try type.takes(&cursor) else { return false }
      }
      return true
    case .map(let count):
      guard types.contains("object"), case .values(let type) = content else { return false }
      for _ in 0..<count {
        try cursor.skipValue()
        guard try type.takes(&cursor) else { return false }
      }
      return true
    case .extension: return false
    }
  }

  private static func read(_ text: Substring, depth: Int) -> PythonType {
    guard depth < mostNested else { return anything }
    var text = text.trimmed
    if text.hasPrefix("typing.") { text = text.dropFirst("typing.".count) }
    let choices = text.split(at: "|")
    if choices.count > 1 { return union(choices, depth) }
    guard let bracket = text.firstIndex(of: "["), text.last == "]" else { return plain(text) }
    let inner = text[text.index(after: bracket)...].dropLast().split(at: ",")
    switch text[..<bracket].lowercased() {
    case "optional" where inner.count == 1: return union(inner + ["None"], depth)
    case "union": return union(inner, depth)
    case "list" where inner.count == 1, "sequence" where inner.count == 1, "iterable" where inner.count == 1:
      return PythonType(types: ["array"], .values(read(inner[0], depth: depth + 1)))
    case "list", "tuple", "sequence", "iterable": return plain("list")
    case "dict" where inner.count == 2, "mapping" where inner.count == 2:
      return PythonType(types: ["object"], .values(read(inner[1], depth: depth + 1)))
    case "dict", "mapping": return plain("dict")
    default: return anything
    }
  }

  private static func plain(_ name: Substring) -> PythonType {
    switch name {
    case "int": PythonType(types: ["integer"])
    case "float", "Number", "numbers.Number": PythonType(types: ["number"])
    case "bool": PythonType(types: ["boolean"])
    case "str": PythonType(types: ["string"])
    case "bytes", "bytearray": PythonType(types: ["object"], .bytes)
    case "list", "tuple", "List", "Tuple": PythonType(types: ["array"], .values(anything))
    case "dict", "Dict": PythonType(types: ["object"], .values(anything))
    default: anything
    }
  }

  /// One of several. Schemas that say more than a type are not mixed: that is any value.
  private static func union(_ texts: [Substring], _ depth: Int) -> PythonType {
    let isNullable = texts.contains { $0.trimmed == "None" }
    let members = texts.filter { $0.trimmed != "None" }.map { read($0, depth: depth + 1) }
    guard var result = members.first, members.allSatisfy({ !$0.types.isEmpty }) else { return anything }
    for member in members.dropFirst() {
      guard result.isScalar, member.isScalar else { return anything }
      result.types += member.types.filter { !result.types.contains($0) }
    }
    // Every integer is a number.
    if result.types.contains("number") { result.types.removeAll { $0 == "integer" } }
    if isNullable, !result.types.contains("null") { result.types.append("null") }
    return result
  }
}

extension Substring {
  /// Without the blanks and tabs at both ends.
  var trimmed: Substring {
    var text = drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }

  /// Its parts between that separator, where it stands in no bracket.
  func split(at separator: Character) -> [Substring] {
    var parts: [Substring] = []
    var (start, depth) = (startIndex, 0)
    for index in indices {
      switch self[index] {
      case "[", "(": depth += 1
      case "]", ")": depth -= 1
      case separator where depth == 0:
        parts.append(self[start..<index])
        start = self.index(after: index)
      default: break
      }
    }
    return parts + [self[start...]]
  }
}
