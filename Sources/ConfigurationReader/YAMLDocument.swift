import Yams

/// The tree of one YAML text.
package struct YAMLDocument {
  /// The keys at the top; `nil` for an empty document, and for one that cannot be read, which was then reported.
  package let root: Section?

  /// Reads `text`. What is wrong with the text itself is reported, and nothing else can be said of it then.
  ///
  /// Of keys that stand twice in a mapping the first is reported, and that ends the reading: the other mistakes of the
  /// file show once it is mended.
  package init(_ text: String, _ diagnostics: Diagnostics) {
    do {
      let node = try Yams.compose(yaml: text)
      let start = Place(line: 1, column: 1)
      root = node.flatMap { Field(node: $0, path: "", key: start, diagnostics: diagnostics).section() }
    } catch {
      root = nil
      Self.report(error, in: text, to: diagnostics)
    }
  }

  private static func report(_ error: any Error, in text: String, to diagnostics: Diagnostics) {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let around = context.map { " (\($0.text) on line \($0.mark.line))" } ?? ""
      diagnostics.report(Place(mark), "", "not YAML: \(problem)\(around)")
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.count(where: \.isNewline) + 1
      let column = (before.lastIndex(where: \.isNewline).map { before[$0...].count } ?? before.count + 1)
      diagnostics.report(Place(line: line, column: column), "", "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      diagnostics.report(Place(context.mark), keys.first ?? "", "duplicate key; it is written again further down")
    default:
      diagnostics.report(Place(line: 1, column: 1), "", "not YAML: \(error)")
    }
  }
}
