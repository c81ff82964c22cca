/// Lines of the log as text: each event is one line, whatever clients and peers have put in it.
///
/// What does not print is escaped, by the rule of Python's `repr`: control and format characters, which hide or reverse text in a
/// terminal; line separators; spaces other than the common one; private and unassigned characters. A backslash is escaped
/// too, so that a reader can tell what was there.
enum EscapedLines {
  /// The text on one line, and nothing in it that does not print.
  static func escaped(_ text: String) -> String {
    if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 && $0 != backslash }) { return text }
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
