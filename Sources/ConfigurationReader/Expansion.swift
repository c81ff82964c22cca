/// `${NAME}` and `${NAME:-default}` replaced from the environment; `$$` is a dollar sign.
///
/// The default also stands in for a variable that is empty, as in a shell.
enum Expansion {
  /// The text with its variables replaced; throws when one is not set or not understood.
  static func expand(_ text: String, from environment: [String: String]) throws(InvalidText) -> String {
    guard text.contains("$") else { return text }
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      if rest.first == "$" {
        result += "$"
        rest = rest.dropFirst()
      } else if rest.first == "{" {
        guard let end = rest.firstIndex(of: "}") else {
          throw InvalidText("\"${\" without \"}\"; write $$ for a dollar")
        }
        result += try value(of: rest[..<end].dropFirst(), in: environment)
        rest = rest[rest.index(after: end)...]
      } else {
        result += "$"
      }
    }
    return result + rest
  }

  private static func value(
    of expression: Substring, in environment: [String: String]
  ) throws(InvalidText) -> String {
    let mark = expression.firstRange(of: ":-")
    let name = expression[..<(mark?.lowerBound ?? expression.endIndex)]
    guard let first = name.utf8.first, !(0x30...0x39 ~= first), name.utf8.allSatisfy(isNameByte) else {
      throw InvalidText("\"${\(expression)}\" names no variable")
    }
    let value = environment[String(name)]
    guard let mark else {
      guard let value else { throw InvalidText("\(name) is not set; ${\(name):-...} gives a default") }
      return value
    }
    let fallback = expression[mark.upperBound...]
    if fallback.contains("${") { throw InvalidText("the default of \(name) holds another \"${\"") }
    if let value, !value.isEmpty { return value }
    return String(fallback)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte == 0x5F || 0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
  }
}
