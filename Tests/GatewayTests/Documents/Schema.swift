import Foundation
import Support

/// The part of JSON Schema that `openapi/gateway.yaml` uses.
struct Schema {
  private let node: JSON
  private let root: JSON

  init(_ node: JSON, in root: JSON) {
    self.node = Self.followed(node, in: root)
    self.root = root
  }

  /// The node that a `$ref` leads to.
  static func followed(_ node: JSON, in root: JSON) -> JSON {
    guard let reference = node["$ref"].text else { return node }
    let target = reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
    return followed(target, in: root)
  }

  /// What is wrong with the value; empty when it fits.
  func faults(_ value: JSON, at place: String = "") -> [String] {
    guard case .object(let keywords) = node else { return ["\(place): there is no schema"] }
    return keywords.flatMap { faults(value, $0.key, $0.value, place) }
  }

  private func faults(_ value: JSON, _ keyword: String, _ limit: JSON, _ place: String) -> [String] {
    func fault(unless holds: Bool) -> [String] { holds ? [] : ["\(place): \(value) is against \(keyword) \(limit)"] }
    switch keyword {
    case "type":
      // One type, or a list of them.
      let types = limit.elements.isEmpty ? [limit] : limit.elements
      return fault(
        unless: types.contains { $0.text == value.type || $0.text == "number" && value.type == "integer" })
    case "const": return fault(unless: value == limit)
    case "enum": return fault(unless: limit.elements.contains(value))
    case "minimum": return fault(unless: value.integer.map { $0 >= limit.integer ?? 0 } ?? true)
    case "maximum": return fault(unless: value.integer.map { $0 <= limit.integer ?? 0 } ?? true)
    case "pattern":
      return fault(
        unless: value.text.map { $0.range(of: limit.text ?? "", options: .regularExpression) != nil } ?? true)
    case "required":
      return fault(unless: limit.elements.allSatisfy { key in value.members.contains { $0.key == key.text } })
    case "properties":
      return value.members.flatMap { member in
        limit.members.first { $0.key == member.key }.map { property in
          Schema(property.value, in: root).faults(member.value, at: "\(place)/\(member.key)")
        } ?? []
      }
    case "additionalProperties":
      let others = value.members.filter { node["properties"][$0.key] == .null }
      if limit == false { return fault(unless: others.isEmpty) }
      return others.flatMap { Schema(limit, in: root).faults($0.value, at: "\(place)/\($0.key)") }
    case "items": return value.elements.flatMap { Schema(limit, in: root).faults($0, at: "\(place)/*") }
    case "anyOf":
      return fault(unless: limit.elements.contains { Schema($0, in: root).faults(value).isEmpty })
    case "contentSchema":
      return Schema(limit, in: root).faults(value.text.flatMap { JSON($0) } ?? .null, at: "\(place)/content")
    // Words for readers.
    case "description", "example", "examples", "format", "contentMediaType": return []
    default: return ["\(place): the keyword \(keyword) is not known to the tests"]
    }
  }
}

extension JSON {
  fileprivate var type: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .number: integer == nil ? "number" : "integer"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }
}
