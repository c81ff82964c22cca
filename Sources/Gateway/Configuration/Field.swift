import Yams

/// A value under reading. Each accessor reports what is wrong with it and then gives `nil`.
struct Field {
  let node: Node
  let path: String
  /// Where the key stands.
  let key: Place
  let diagnostics: Diagnostics

  var place: Place { Place(node.mark) }

  func report(_ message: String, suggestion: String? = nil) {
    diagnostics.report(place, path, message, suggestion: suggestion)
  }

  /// Whether nothing was written after the key.
  var isEmpty: Bool {
    guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// A scalar, with variables expanded.
  func text(_ expected: String = "a single value") -> String? {
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
  func section() -> Section? {
    if isEmpty { return Section(.init([]), path: path, place: key, diagnostics) }
    guard case .mapping(let mapping) = node else {
      report("expected a mapping of keys, not \(node.kind)")
      return nil
    }
    return Section(mapping, path: path, place: key, diagnostics)
  }

  /// The elements of a list; one scalar is a list of itself.
  func elements() -> [Field]? {
    switch node {
    case .scalar where !isEmpty: return [self]
    case .sequence(let items):
      return items.enumerated().map { index, item in
        Field(node: item, path: "\(path)[\(index)]", key: key, diagnostics: diagnostics)
      }
    default:
      report(isEmpty ? "has no value; expected a list" : "expected a list, not \(node.kind)")
      return nil
    }
  }

  func integer(in range: ClosedRange<Int>) -> Int? {
    guard let text = text("a whole number") else { return nil }
    guard let number = Int(text) else {
      report("expected a whole number, not \"\(text)\"")
      return nil
    }
    return within(range, number, "\(range.lowerBound)", "\(range.upperBound)")
  }

  func boolean() -> Bool? {
    guard let text = text("true or false") else { return nil }
    switch text {
    case "true": return true
    case "false": return false
    default:
      report("expected true or false, not \"\(text)\"", suggestion: text.nearest(among: ["true", "false"]))
      return nil
    }
  }

  func duration(in range: ClosedRange<Duration>) -> Duration? {
    guard let text = text("a duration such as 5s") else { return nil }
    do throws(Quantity.Fault) {
      return within(range, try Quantity.duration(text), range.lowerBound.text, range.upperBound.text)
    } catch {
      report(error.reason)
      return nil
    }
  }

  func bytes(in range: ClosedRange<Int>) -> Int? {
    guard let text = text("a size such as 1MiB") else { return nil }
    do throws(Quantity.Fault) {
      return within(range, try Quantity.bytes(text), "\(range.lowerBound)B", "\(range.upperBound)B")
    } catch {
      report(error.reason)
      return nil
    }
  }

  func choice<Value: RawRepresentable & CaseIterable>(
    _ type: Value.Type = Value.self, later: [String] = []
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
        "\"\(written)\" is none of \(known.joined(separator: ", "))", suggestion: written.nearest(among: known))
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
    do throws(Expansion.Fault) {
      return try Expansion.expand(text, from: diagnostics.environment)
    } catch {
      report(error.reason)
      return nil
    }
  }
}

extension Node {
  /// What a node is, for a sentence.
  var kind: String {
    switch self {
    case .scalar: "a single value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}
