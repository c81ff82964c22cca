import Glibc

/// Standard error as the log writes to it: each text that is written becomes one line, whatever clients and peers have put in it.
///
/// What does not print is escaped, by the rule of Python's `repr`: control and format characters, which hide or reverse text in a
/// terminal; line separators; spaces other than the common one; private and unassigned characters. A backslash is escaped
/// too, so that a reader can tell what was there.
struct EscapedLines: TextOutputStream, Sendable {
  mutating func write(_ text: String) {
    var line = Self.escaped(text.hasSuffix("\n") ? text.dropLast() : text[...]) + "\n"
    line.withUTF8 { Self.write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes a line, which is one call, so that those of different threads do not mix.
  static func write(_ line: UnsafeRawBufferPointer) {
    var rest = line
    while !rest.isEmpty {
      let count = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      // There is no other place to tell that nobody reads the log.
      guard count > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
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
