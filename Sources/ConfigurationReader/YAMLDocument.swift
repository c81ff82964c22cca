/// The tree of one YAML text.
package struct YAMLDocument {
  /// The keys at the top; `nil` for an empty document, and for one that cannot be read, which was then reported.
  package let root: Section?
  /// Whether it is a mapping, be it one without keys.
  package let isMapping: Bool

  /// Reads `text`. What is wrong with the text itself is reported, and nothing else can be said of it then.
  ///
  /// Of keys that stand twice in a mapping the first is reported, and that ends the reading: the other mistakes of the
  /// file show once it is mended.
  package init(_ text: String, _ diagnostics: Diagnostics) {
    do throws(YAMLFault) {
      let start = Place(line: 1, column: 1)
      let field = try YAMLNode.read(text).map { Field(node: $0, path: "", key: start, diagnostics: diagnostics) }
      isMapping = field?.isMapping == true
      root = field?.section()
    } catch {
      (root, isMapping) = (nil, false)
      let reason = error.isDuplicate ? error.reason : "not YAML: \(Self.words(for: error, in: text))"
      diagnostics.report(error.place, error.key, reason)
    }
  }

  /// In libyaml's words, and what to do; but for a tab, which it calls a character that cannot start a token.
  private static func words(for fault: YAMLFault, in text: String) -> String {
    if isTab(fault.place, in: text) { return "a tab; YAML is indented with spaces" }
    let advice = advice.first { fault.reason.contains($0.reason) }
    return advice.map { "\(fault.reason); \($0.text)" } ?? fault.reason
  }

  private static let advice: [(reason: String, text: String)] = [
    (
      "mapping values are not allowed",
      "the keys of one mapping stand in one column, and a text with \": \" in it goes in quotes"
    ),
    ("did not find expected key", "the keys of one mapping stand in one column, each with its value and nothing else"),
    ("cannot start any token", "a text that begins with this sign goes in quotes"),
    ("unexpected end of stream (while scanning a quoted", "its quote is not closed"),
  ]

  /// Whether a tab stands there, or before it on its line with nothing but blanks.
  private static func isTab(_ place: Place, in text: String) -> Bool {
    let lines = text.split(separator: /\r\n|\n|\r/, omittingEmptySubsequences: false)
    guard lines.indices.contains(place.line - 1) else { return false }
    let line = lines[place.line - 1]
    return line.dropFirst(max(0, place.column - 1)).first == "\t"
      || line.prefix { $0 == " " || $0 == "\t" }.contains("\t")
  }
}
