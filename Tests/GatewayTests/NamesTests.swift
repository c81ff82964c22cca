import Support
import Testing

@testable import Gateway

@Suite("A method policy", .inTurn(minutes: 3))
struct MethodPolicyTests {
  private enum Decision { case hidden, exposed, safe }

  private func decision(_ policy: MethodPolicy, _ text: String) throws -> Decision {
    let method = try #require(MethodName(text))
    do throws(Problem) {
      try policy.check(method)
    } catch {
      #expect(error.code == .notExposed)
      return .hidden
    }
    return policy.isSafe(method) ? .safe : .exposed
  }

  @Test("exposes everything by default")
  func open() throws {
    for name in ["add", "a.b.c", "a_", "a-b", "9"] { #expect(try decision(.init(.init()), name) == .exposed) }
  }

  @Test("is never asked for a name that cannot be called: there is no such name")
  func names() {
    for name in ["", "_a", "a._b", ".a", "a.", "a..b", "a b", "ä", String(repeating: "a", count: 256)] {
      #expect(MethodName(name) == nil)
    }
    #expect(MethodName(String(repeating: "a", count: 255)) != nil)
  }

  @Test(
    "tells of a method of nearly that name, if it is exposed in full and not hidden",
    arguments: [
      ("in_stok", "; did you mean \"in_stock\"?"), ("by", "; did you mean \"buy\"?"), ("adminn", "."), ("gte", "."),
      ("other", "."), ("admin", "."),
    ])
  func near(name: String, end: String) throws {
    let policy = MethodPolicy(.init(expose: ["in_stock", "buy", "admin", "get*"], hide: ["admin"]))
    let method = try #require(MethodName(name))
    let problem = #expect(throws: Problem.self) { try policy.check(method) }
    #expect(problem?.detail == "\"\(name)\" is not exposed by this service\(end)")
  }

  @Test("hides before it exposes, and says what is safe")
  func globs() throws {
    let policy = MethodPolicy(
      .init(expose: ["math.*", "get*"], hide: ["math.admin.*"], safe: ["get*", "math.admin.*"]))
    #expect(try decision(policy, "math.add") == .exposed)
    #expect(try decision(policy, "get_user") == .safe)
    #expect(try decision(policy, "math.admin.stop") == .hidden)
    #expect(try decision(policy, "other") == .hidden)
    #expect(try decision(MethodPolicy(.init(hide: ["b"])), "a") == .exposed)
    #expect(try decision(MethodPolicy(.init(hide: ["b"])), "b") == .hidden)
    #expect(try decision(MethodPolicy(.init(expose: [])), "a") == .hidden)
    #expect(try decision(MethodPolicy(.init(expose: ["a", "**"])), "b") == .exposed)
  }
}
