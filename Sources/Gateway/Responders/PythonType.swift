/// A type as Python writes it, as a schema of JSON: `int | None`, `list[str]`, `Optional[dict[str, float]]`.
///
/// What is not known is any value. `None` alone is as well: generators of clients have no type for it.
struct PythonType: Hashable {
  /// The types of JSON that it may be; empty for any.
  private var types: [String]
  /// What else the schema says, as members of JSON.
  private var details: [String: String] = [:]

  private static let anything = PythonType(types: [])
  private static let mostNested = 16

  /// Reads what stands behind the colon of a parameter or the arrow of a result.
  init(_ text: String) { self = Self.read(text[...], depth: 0) }

  private init(types: [String], details: [String: String] = [:]) { (self.types, self.details) = (types, details) }

  /// The schema, in JSON.
  var schema: String {
    var members: [String] = []
    if let only = types.first {
      members.append(
        types.count == 1
          ? #""type":"\#(only)""# : #""type":[\#(types.map { #""\#($0)""# }.joined(separator: ","))]"#)
    }
    members += details.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }
    return "{\(members.joined(separator: ","))}"
  }

  /// Whether it is text and nothing else, so that a query needs no JSON for it.
  var isText: Bool { types == ["string"] }

  /// Whether it is one number, text or truth value, or none.
  var isScalar: Bool { !types.isEmpty && Set(types).isDisjoint(with: ["array", "object"]) }

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
      return PythonType(types: ["array"], details: ["items": read(inner[0], depth: depth + 1).schema])
    case "list", "tuple", "sequence", "iterable": return plain("list")
    case "dict" where inner.count == 2, "mapping" where inner.count == 2:
      return PythonType(
        types: ["object"], details: ["additionalProperties": read(inner[1], depth: depth + 1).schema])
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
    case "bytes", "bytearray":
      PythonType(
        types: ["object"],
        details: [
          "required": #"["$bin"]"#, "properties": #"{"$bin":{"type":"string","contentEncoding":"base64"}}"#,
        ])
    case "list", "tuple", "List", "Tuple": PythonType(types: ["array"], details: ["items": "{}"])
    case "dict", "Dict": PythonType(types: ["object"], details: ["additionalProperties": "{}"])
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
  fileprivate var trimmed: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }

  /// Its parts between that separator, where it stands in no bracket.
  fileprivate func split(at separator: Character) -> [Substring] {
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
