/// A value under reading. Each accessor reports what is wrong with it and then gives `nil`.
package struct Field {
  let node: YAMLNode
  /// The keys that lead here, joined by dots.
  let path: String
  /// Where the key stands.
  let key: Place
  let diagnostics: Diagnostics

  /// Where the value stands.
  package var place: Place { node.place }

  /// Reports what is wrong with the value.
  package func report(_ message: String, suggestion: String? = nil) {
    diagnostics.report(place, path, message, suggestion: suggestion)
  }

  /// Whether the value is a mapping of keys.
  package var isMapping: Bool { node.mapping != nil }

  /// Whether the value is a text without characters, quoted or not.
  package var isEmptyText: Bool { node.scalar?.string.isEmpty == true }

  /// Whether nothing was written after the key.
  private var isEmpty: Bool {
    guard let scalar = node.scalar, scalar.isPlain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// A scalar as it is written, variables and all; nil for anything else.
  package var written: String? { node.scalar?.string }

  /// A scalar, with variables expanded.
  package func text(_ expected: String = "a single value") -> String? {
    guard let scalar = node.scalar else {
      report("expected \(expected), not \(node.kind)")
      return nil
    }
    if isEmpty {
      diagnostics.report(place, path, "has no value; expected \(expected)")
      return nil
    }
    return expand(scalar.string)
  }

  /// A mapping; nothing at all is an empty one.
  package func section() -> Section? {
    if isEmpty { return Section([], path: path, place: key, diagnostics) }
    guard let mapping = node.mapping else {
      report("expected a mapping of keys, not \(node.kind)")
      return nil
    }
    return Section(mapping, path: path, place: key, diagnostics)
  }

  /// The elements of a list; one scalar is a list of itself.
  package func elements() -> [Field]? {
    switch node {
    case .scalar where !isEmpty: return [self]
    case .sequence(let items, _):
      return items.enumerated().map { index, item in
        Field(node: item, path: "\(path)[\(index)]", key: key, diagnostics: diagnostics)
      }
    default:
      report(isEmpty ? "has no value; expected a list" : "expected a list, not \(node.kind)")
      return nil
    }
  }

  /// A text that `parse` understands, whose error is reported.
  package func value<Value, Failure: Error & CustomStringConvertible>(
    _ expected: String, _ parse: (String) throws(Failure) -> Value
  ) -> Value? {
    guard let text = text(expected) else { return nil }
    do throws(Failure) {
      return try parse(text)
    } catch {
      report(error.description)
      return nil
    }
  }

  /// A whole number within bounds.
  package func integer(in range: ClosedRange<Int>) -> Int? {
    guard let text = text("a whole number") else { return nil }
    guard let number = Int(text) else {
      report("expected a whole number, not \"\(text)\"")
      return nil
    }
    return within(range, number, "\(range.lowerBound)", "\(range.upperBound)")
  }

  /// A number within bounds, with or without decimals.
  package func number(in range: ClosedRange<Double>) -> Double? {
    guard let text = text("a number") else { return nil }
    guard let number = Double(text), number.isFinite else {
      report("expected a number, not \"\(text)\"")
      return nil
    }
    return within(range, number, "\(range.lowerBound)", "\(range.upperBound)")
  }

  /// `true` or `false`.
  package func boolean() -> Bool? {
    guard let text = text("true or false") else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default:
      report("expected true or false, not \"\(text)\"", suggestion: text.nearest(among: ["true", "false"]))
      return nil
    }
  }

  /// A time with a unit, within bounds.
  package func duration(in range: ClosedRange<Duration>) -> Duration? {
    guard let duration = value("a duration such as 5s", Quantity.duration) else { return nil }
    return within(range, duration, Quantity.text(range.lowerBound), Quantity.text(range.upperBound))
  }

  /// A size in bytes, with or without a unit, within bounds.
  package func bytes(in range: ClosedRange<Int>) -> Int? {
    guard let bytes = value("a size such as 1MiB", Quantity.bytes) else { return nil }
    return within(range, bytes, "\(range.lowerBound)B", "\(range.upperBound)B")
  }

  /// A share in hundredths, within bounds.
  package func percent(in range: ClosedRange<Int>) -> Int? {
    guard let percent = value("a share such as 10%", Quantity.percent) else { return nil }
    return within(range, percent, "\(range.lowerBound)%", "\(range.upperBound)%")
  }

  /// One of the words of an enumeration; those in `later` are words that a later version will take. Of a word in `meant` it is told
  /// what may be meant by it.
  package func choice<Value: RawRepresentable & CaseIterable>(
    _ type: Value.Type = Value.self, later: [String] = [], meant: [String: Value] = [:]
  ) -> Value? where Value.RawValue == String {
    let known = Value.allCases.map(\.rawValue)
    // A plain `null` is no value in YAML, but it is one of the choices of `nonfinite`.
    let written = node.scalar?.string == "null" ? "null" : text("one of \(known.joined(separator: ", "))")
    guard let written else { return nil }
    if let value = Value(rawValue: written) { return value }
    if later.contains(written) {
      report("\"\(written)\" is not available in this version; use \(known.joined(separator: ", "))")
    } else {
      report(
        "\"\(written)\" is none of \(known.joined(separator: ", "))",
        suggestion: meant[written.lowercased()]?.rawValue ?? written.nearest(among: known))
    }
    return nil
  }

  private func within<Value: Comparable>(
    _ range: ClosedRange<Value>, _ value: Value, _ lower: String, _ upper: String
  ) -> Value? {
    if range.contains(value) { return value }
    report("must be between \(lower) and \(upper)")
    return nil
  }

  private func expand(_ text: String) -> String? {
    do throws(InvalidText) {
      return try Expansion.expand(text, from: diagnostics.environment)
    } catch {
      report(error.description)
      return nil
    }
  }
}

extension YAMLNode {
  /// What a node is, for a sentence.
  fileprivate var kind: String {
    switch self {
    case .scalar: "a single value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    }
  }
}
