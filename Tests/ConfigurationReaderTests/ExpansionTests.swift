import Support
import Testing

@testable import ConfigurationReader

@Suite("A variable", .inTurn(minutes: 3))
struct ExpansionTests {
  @Test(
    "expands inside a text",
    arguments: [
      ("", ""), ("plain", "plain"), ("${A}", "1"), ("x${A}y${A}z", "x1y1z"), ("${B:-d}", "d"), ("${A:-d}", "1"),
      ("${EMPTY}", ""), ("${EMPTY:-d}", "d"), ("${B:-}", ""), ("$$", "$"), ("$${A}", "${A}"), ("$$$$", "$$"),
      ("$", "$"),
      ("a$b", "a$b"), ("${B:-a:-b}", "a:-b"), ("${_a1}", "under"), ("${B:-$$}", "$$"),
    ])
  func expands(text: String, expected: String) throws {
    #expect(try Expansion.expand(text, from: ["A": "1", "EMPTY": "", "_a1": "under"]) == expected)
  }

  @Test(
    "is refused when unset or misspelt",
    arguments: ["${B}", "${", "${A", "${}", "${1A}", "${A B}", "${A-d}", "${B:-${A}}"])
  func refused(text: String) {
    #expect(throws: InvalidText.self) { try Expansion.expand(text, from: ["A": "1"]) }
  }

  @Test("that is unset is named with its line")
  func unset() {
    #expect(
      complaints("# one\nkey: ${KEY}\n") { _ = $0.field("key")?.text() } == [
        "2:6: key: KEY is not set; ${KEY:-...} gives a default"
      ])
  }
}
