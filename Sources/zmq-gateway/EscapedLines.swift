/// Standard error as the log writes to it: each text that is written becomes one line, whatever clients and peers have put in it.
///
/// What does not print is escaped, by the rule of Python's `repr`: control and format characters, which hide or reverse text in a
/// terminal; line separators; spaces other than the common one; private and unassigned characters. A backslash is escaped
/// too, so that a reader can tell what was there.
struct EscapedLines: TextOutputStream, Sendable {
  mutating func write(_ text: String) {
    var line = Self.escaped(text.hasSuffix("\n") ? text.dropLast() : text[...]) + "\n"
    // In one call, so that those of different threads do not mix.
    line.withUTF8 { StandardStream.error.write(UnsafeRawBufferPointer($0)) }
  }

  /// The text on one line, and nothing in it that does not print.
  static func escaped(_ text: Substring) -> String {
    if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 && $0 != backslash }) { return String(text) }
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\r": escaped += "\\r"
      case "\t": escaped += "\\t"
      case _ where prints(scalar): escaped.unicodeScalars.append(scalar)
      default: escaped += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return escaped
  }

  private static func prints(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  private static let backslash = UInt8(ascii: "\\")
}
