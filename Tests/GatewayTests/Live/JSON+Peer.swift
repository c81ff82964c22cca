import Foundation
import Support

extension JSON {
  /// What the gateway has to show for a value in the notation of `peer_json.py`, by the table of the contract.
  var asGatewayShows: JSON {
    switch self {
    case .array(let elements): return .array(elements.map(\.asGatewayShows))
    case .object(let members):
      guard let first = members.first, first.key.hasPrefix("$") else {
        return .object(members.map { .init($0.key, $0.value.asGatewayShows) })
      }
      return Self.special(first.key, first.value, zone: self["zone"].text)
    default: return self
    }
  }

  private static func special(_ tag: String, _ value: JSON, zone: String?) -> JSON {
    switch tag {
    case "$bytes": return ["$bin": .string(base64(value.text ?? ""))]
    case "$int": return .number(value.text ?? "")
    case "$float": return value == "-0.0" ? .number("-0.0") : .null
    case "$map": return .object(value.elements.map { .init($0[0].text ?? $0[0].description, $0[1].asGatewayShows) })
    case "$ext": return ["$ext": [value["code"], .string(base64(value["hex"].text ?? ""))]]
    case "$date", "$time", "$datetime":
      guard let zone, let text = value.text else { return value }
      // The gateway knows no offset of a named zone: the local time, and the name.
      return .string("\(text.prefix(text.count - 6))[\(zone)]")
    default: return .object([.init(tag, value)])
    }
  }

  private static func base64(_ hex: String) -> String {
    let digits = Array(hex)
    let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...($0 + 1)]), radix: 16) ?? 0 }
    return Data(bytes).base64EncodedString()
  }

  /// Equal as JSON, numbers by their value: an integer by its digits, a float by its 64 bits; never one for the other.
  func isSame(as other: JSON) -> Bool {
    switch (self, other) {
    case (.number(let a), .number(let b)):
      let isFloat = [a, b].map { $0.contains { ".eE".contains($0) } }
      if isFloat[0] != isFloat[1] { return false }
      return isFloat[0] ? Double(a)?.bitPattern == Double(b)?.bitPattern : a == b
    case (.array(let a), .array(let b)): return a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
    case (.object(let a), .object(let b)):
      return a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value.isSame(as: $1.value) }
    default: return self == other
    }
  }
}
