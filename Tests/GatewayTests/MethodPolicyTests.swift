import Testing

@testable import Gateway

@Suite("A glob", .timeLimit(.minutes(1)))
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

  @Test("takes no more than the product of both lengths")
  func hostile() {
    #expect(!matches(String(repeating: "a*", count: 100) + "b", String(repeating: "a", count: 255)))
  }
}

@Suite("A method policy", .timeLimit(.minutes(1)))
struct MethodPolicyTests {
  @Test("exposes everything by default, but names that cannot be called")
  func open() {
    let policy = MethodPolicy(.init())
    for name in ["add", "a.b.c", "a_", "a-b", "9"] { #expect(policy.decision(for: name) == .exposed) }
    for name in ["", "_a", "a._b", ".a", "a.", "a..b", "a b", "ä", String(repeating: "a", count: 256)] {
      #expect(policy.decision(for: name) == .hidden)
    }
  }

  @Test("hides before it exposes, and says what is safe")
  func globs() {
    let policy = MethodPolicy(
      .init(expose: ["math.*", "get*"], hide: ["math.admin.*"], safe: ["get*", "math.admin.*"]))
    #expect(policy.decision(for: "math.add") == .exposed)
    #expect(policy.decision(for: "get_user") == .safe)
    #expect(policy.decision(for: "math.admin.stop") == .hidden)
    #expect(policy.decision(for: "other") == .hidden)
    #expect(MethodPolicy(.init(hide: ["b"])).decision(for: "a") == .exposed)
    #expect(MethodPolicy(.init(hide: ["b"])).decision(for: "b") == .hidden)
    #expect(MethodPolicy(.init(expose: [])).decision(for: "a") == .hidden)
    #expect(MethodPolicy(.init(expose: ["a", "**"])).decision(for: "b") == .exposed)
    #expect(MethodPolicy(.init(safe: ["*"])).decision(for: "_a") == .hidden)
  }
}
