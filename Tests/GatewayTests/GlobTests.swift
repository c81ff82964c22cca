import Support
import Testing

@testable import Gateway

@Suite("A glob", .inTurn(minutes: 3))
struct GlobTests {
  private func matches(_ pattern: String, _ name: String) -> Bool { Glob(pattern).matches(name.utf8.span) }

  @Test(
    "matches runs with a star and one byte with a question mark",
    arguments: [
      ("*", ""), ("*", "a.b"), ("get*", "get"), ("get*", "get.a.b"), ("*.get", "a.b.get"), ("a?c", "abc"),
      ("a?c", "a.c"),
      ("a*b*c", "aXbYbZc"), ("a*b*c", "abc"), ("", ""), ("**", "x"), ("a*", "a*"), ("*a*a*", "aa"),
      ("admin.*", "admin.x"),
      ("*?", "a"), ("?*?", "ab"),
    ])
  func matches(pattern: String, name: String) {
    #expect(matches(pattern, name))
  }

  @Test(
    "matches nothing else",
    arguments: [
      ("", "a"), ("a", ""), ("get*", "xget"), ("get*", "ge"), ("a?c", "ac"), ("a?c", "abbc"), ("*.get", "get"),
      ("a*b*c", "acb"), ("admin.*", "admin"), ("A", "a"), ("?*?", "a"), ("*a*a*", "a"), ("a.c", "abc"),
    ])
  func mismatches(pattern: String, name: String) {
    #expect(!matches(pattern, name))
  }

  @Test(
    "covers another one when whatever that matches it matches too",
    arguments: [
      ("*", "*"), ("*", ""), ("*", "a?b*"), ("a*", "a*"), ("a*", "ab*c"), ("a*", "a"), ("a?", "ab"), ("a?", "a?"),
      ("a*c", "ab*bc"), ("*a*", "xa?"), ("a", "a"), ("", ""), ("?*", "?*"), ("?*", "ab*"),
    ])
  func covers(pattern: String, other: String) { #expect(Glob(pattern).covers(Glob(other))) }

  @Test(
    "covers nothing else",
    arguments: [
      ("a*", "*"), ("?", "*"), ("a?", "a*"), ("a", "a*"), ("a", "?"), ("a*", "?b"), ("*a", "a*"), ("", "*"), ("", "a"),
      ("?*", "*"), ("a*c", "a*"), ("??*", "?*"),
    ])
  func exceeds(pattern: String, other: String) { #expect(!Glob(pattern).covers(Glob(other))) }

  @Test(
    "tells whether it matches something that begins so",
    arguments: [
      ("a", "", true), ("a", "a", true), ("a", "ab", false), ("?", "ab", false), ("??", "ab", true), ("?b", "a", true),
      ("?b", "ab", true), ("?b", "aa", false), ("a*c", "abcd", true), ("a*c", "b", false), ("*", "x", true),
      ("", "", true), ("", "a", false),
    ])
  func prefixes(pattern: String, prefix: String, isMatched: Bool) {
    #expect(Glob(pattern).mayMatch(prefix: Array(prefix.utf8)) == isMatched)
  }

  @Test("takes no more than the product of both lengths")
  func hostile() {
    #expect(!matches(String(repeating: "a*", count: 100) + "b", String(repeating: "a", count: 255)))
  }
}
