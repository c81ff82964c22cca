import Support
import Testing

@testable import zmq_gateway

@Suite("a line of the log", .inTurn(minutes: 3))
struct EscapedLinesTests {
  @Test(
    "has escapes for what does not print",
    arguments: [
      ("plain text, \"quoted\"", "plain text, \"quoted\""), ("a\nb\r\tc", #"a\nb\r\tc"#),
      ("\u{1b}[2J\u{b}\u{0}\u{7f}", #"\u{1b}[2J\u{b}\u{0}\u{7f}"#), (#"C:\n"#, #"C:\\n"#),
      ("\u{85}\u{9b}\u{ad}\u{200b}\u{2028}\u{2029}\u{feff}", #"\u{85}\u{9b}\u{ad}\u{200b}\u{2028}\u{2029}\u{feff}"#),
      ("\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{61c}", #"\u{200e}\u{202a}\u{202e}\u{2066}\u{2069}\u{61c}"#),
      ("\u{a0}\u{3000}\u{e000}\u{e0041}\u{10ffff}", #"\u{a0}\u{3000}\u{e000}\u{e0041}\u{10ffff}"#),
      ("Zoë, Москва, 東京, 🎉, e\u{301}", "Zoë, Москва, 東京, 🎉, e\u{301}"), ("", ""),
    ])
  func escapes(text: String, line: String) { #expect(EscapedLines.escaped(text) == line) }

  @Test("of any characters is one line without controls, from which they can be told")
  func every() throws {
    // A combining mark and what stands before it are one character, so scalars are looked at.
    var bad: [UInt32] = []
    for value in Array(UInt32(0)...0x3100) + Array(0xD700...0x10000)
      + Array(stride(from: 0x10000, through: 0x10FFFF, by: 31))
    {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let line = EscapedLines.escaped("<\(scalar)>")
      let isControl = value < 0x20 || 0x7F...0xA0 ~= value || value == 0x2028 || value == 0x2029
      let inside = Substring(line.unicodeScalars.dropFirst().dropLast())
      let prints = !inside.hasPrefix("\\")
      if isControl, prints || !line.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { bad.append(value) }
      if Self.unescaped(inside) != scalar { bad.append(value) }
    }
    #expect(bad.prefix(10) == [])
  }

  /// The one character that the text stands for.
  private static func unescaped(_ text: Substring) -> Unicode.Scalar? {
    switch text {
    case #"\\"#: "\\"
    case #"\n"#: "\n"
    case #"\r"#: "\r"
    case #"\t"#: "\t"
    default:
      text.hasPrefix(#"\u{"#)
        ? UInt32(text.dropFirst(3).dropLast(), radix: 16).flatMap(Unicode.Scalar.init)
        : text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }
  }
}
