import Support
import Testing

@testable import ConfigurationReader

@Suite("A suggestion", .inTurn(minutes: 3))
struct SuggestionTests {
  @Test(
    "counts insertions, deletions, substitutions and swaps of neighbours, and no difference of case",
    arguments: [
      ("", "", 0), ("a", "", 1), ("", "abc", 3), ("abc", "abd", 1), ("abc", "acb", 1), ("abc", "ABC", 0),
      ("timeout", "timeot", 1), ("kitten", "sitting", 3),
    ])
  func distance(from: String, to other: String, expected: Int) {
    #expect(from.distance(to: other) == expected)
    #expect(other.distance(to: from) == expected)
  }

  @Test(
    "is the nearest word, when no more than a third of its letters differ",
    arguments: [
      ("timeot", "timeout"), ("max-timout", "max-timeout"), ("methdos", "methods"), ("x", nil), ("tiiiiout", nil),
    ])
  func nearest(word: String, expected: String?) {
    #expect(word.nearest(among: ["timeout", "max-timeout", "methods"]) == expected)
  }

  @Test(
    "is none for one or two letters, of which any may be meant",
    arguments: [("x", nil), ("ab", nil), ("d", "D"), ("adx", "add")])
  func short(word: String, expected: String?) {
    #expect(word.nearest(among: ["D", "ac", "add"]) == expected)
  }

  @Test("is none without candidates")
  func none() { #expect("a".nearest(among: []) == nil) }
}
