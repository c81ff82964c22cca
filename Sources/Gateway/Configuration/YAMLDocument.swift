import Yams

/// The tree of one YAML text, and what is wrong with the text itself.
///
/// Yams gives up at the first mapping that says a key twice. So that the rest of the file is checked all the same,
/// the first of the two is blotted out, column for column, and the text is read again.
struct YAMLDocument {
  /// The root, or `nil` for an empty document and for one that cannot be read.
  let root: Node?

  init(_ text: String, _ diagnostics: Diagnostics) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var blotted: [Place: String] = [:]
    while true {
      do {
        root = try Yams.compose(yaml: lines.joined(separator: "\n"))
        break
      } catch let error as YamlError {
        if let (place, key) = Self.blot(error, number: blotted.count, in: &lines) {
          blotted[place] = key
          continue
        }
        Self.report(error, in: text, to: diagnostics)
      } catch {
        diagnostics.report(Place(line: 1, column: 1), "", "\(error)")
      }
      root = nil
      break
    }
    for (place, key) in blotted where root == nil {
      diagnostics.report(place, key, "duplicate key")
    }
    if let root, !blotted.isEmpty {
      var seen: Set<Place> = []
      Self.reportDuplicates(under: root, path: "", blotted, &seen, diagnostics)
    }
  }

  /// Whether a key is the first of two, which `init` reported.
  static func isBlotted(_ key: String) -> Bool { key.unicodeScalars.first.map(blots.contains) ?? false }

  /// A private use area: no key anyone means starts there.
  private static let blots: ClosedRange<Unicode.Scalar> = "\u{E000}"..."\u{F8FF}"

  private static func blot(_ error: YamlError, number: Int, in lines: inout [String]) -> (Place, String)? {
    guard case .duplicatedKeysInMapping(let keys, let context) = error, let key = keys.first, !key.isEmpty,
      let blot = Unicode.Scalar(0xE000 + UInt32(number)), blots.contains(blot)
    else { return nil }
    let place = Place(context.mark)
    guard lines.indices.contains(place.line - 1) else { return nil }
    var line = Array(lines[place.line - 1].unicodeScalars)
    var start = place.column - 1
    if line.indices.contains(start), line[start] == "\"" || line[start] == "'" { start += 1 }
    let end = start + key.unicodeScalars.count
    // A key written with escapes, a tag or an anchor is not found here; it is then the only problem reported.
    guard end <= line.count, line[start..<end].elementsEqual(key.unicodeScalars) else { return nil }
    // Each blot differs from every other: three of a key must not become two of a blot.
    line[start..<end] = ArraySlice(repeating: blot, count: end - start)
    lines[place.line - 1] = String(String.UnicodeScalarView(line))
    return (place, key)
  }

  private static func reportDuplicates(
    under node: Node, path: String, _ blotted: [Place: String], _ seen: inout Set<Place>, _ diagnostics: Diagnostics
  ) {
    // An alias is the same node again: visiting each place once keeps a tree of aliases from growing without bound.
    if let mark = node.mark, !node.isScalar, !seen.insert(Place(mark)).inserted { return }
    switch node {
    case .sequence(let items):
      for (index, item) in items.enumerated() {
        reportDuplicates(under: item, path: "\(path)[\(index)]", blotted, &seen, diagnostics)
      }
    case .mapping(let pairs):
      var first: [String: Int] = [:]
      for (key, value) in pairs {
        let place = Place(key.mark)
        let name = blotted[place] ?? key.scalar?.string ?? "?"
        let inner = path.isEmpty ? name : "\(path).\(name)"
        if let line = first[name] {
          diagnostics.report(place, inner, "duplicate key; it is already on line \(line)")
        } else {
          first[name] = place.line
        }
        reportDuplicates(under: value, path: inner, blotted, &seen, diagnostics)
      }
    default: break
    }
  }

  private static func report(_ error: YamlError, in text: String, to diagnostics: Diagnostics) {
    switch error {
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
      diagnostics.report(Place(context.mark), keys.first ?? "", "duplicate key")
    default:
      diagnostics.report(Place(line: 1, column: 1), "", "not YAML: \(error)")
    }
  }
}

extension Node {
  var isScalar: Bool { scalar != nil }
}
