import Support

/// A JSON document as YAML that a person reads: in blocks, and on one line where it fits.
struct BlockYAML {
  private static let width = 120
  /// Words that YAML takes for something else than a text, in one version or another.
  private static let reserved: Set = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]

  private(set) var text = ""

  /// Adds a member of a mapping that is indented by so many blanks. `name` stands as it is.
  mutating func append(_ name: String, _ value: JSON, indent: Int) {
    append(value, after: String(repeating: " ", count: indent) + name + ":", indent: indent)
  }

  private mutating func append(_ value: JSON, after lead: String, indent: Int) {
    let line = "\(lead) \(Self.line(value))"
    if line.utf8.count <= Self.width || value.isLeaf {
      text += line + "\n"
      return
    }
    // What an element of a sequence holds begins behind its dash.
    var start = lead.hasSuffix("-") ? lead + " " : nil
    if start == nil { text += lead + "\n" }
    let inner = indent + 2
    func begin() -> String {
      defer { start = nil }
      return start ?? String(repeating: " ", count: inner)
    }
    for member in value.members { append(member.value, after: begin() + Self.word(member.key) + ":", indent: inner) }
    for element in value.elements { append(element, after: begin() + "-", indent: inner) }
  }

  private static func line(_ value: JSON) -> String {
    switch value {
    case .object(let members) where !members.isEmpty:
      "{ \(members.map { "\(word($0.key)): \(line($0.value))" }.joined(separator: ", ")) }"
    case .array(let elements): "[\(elements.map(line).joined(separator: ", "))]"
    case .string(let text): word(text)
    default: value.description
    }
  }

  /// A text, with quotes where it needs them.
  private static func word(_ text: String) -> String {
    let isPlain =
      text.wholeMatch(of: /[A-Za-z$][A-Za-z0-9_.\/$-]*/) != nil && !reserved.contains(text.lowercased())
    return isPlain ? text : JSON.string(text).description
  }
}

extension JSON {
  /// Whether it is on one line however long it is.
  fileprivate var isLeaf: Bool { members.isEmpty && elements.isEmpty }
}
