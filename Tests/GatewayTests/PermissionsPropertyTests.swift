import Support
import Testing

@testable import Gateway

@Suite("Rules, whatever they say", .inTurn(minutes: 3))
struct PermissionsPropertyTests {
  /// All words of up to three letters out of two.
  private static let words = (0...3).reduce(into: [[""]]) { words, _ in
    words.append((words.last ?? []).flatMap { [$0 + "a", $0 + "b"] })
  }.dropLast().flatMap { $0 }
  /// A topic may be empty, a method not.
  private static let methods = words.filter { !$0.isEmpty }

  private static func pattern(_ random: inout SplitMix) -> String {
    String((0...Int.random(in: 0...3, using: &random)).map { _ in "ab*?*".randomElement(using: &random) ?? "a" })
  }

  private static func rule(_ random: inout SplitMix) -> Configuration.Rule {
    func some() -> [String]? {
      guard Bool.random(using: &random) else { return nil }
      return (0...Int.random(in: 0...1, using: &random)).map { _ in pattern(&random) }
    }
    var rule = Configuration.Rule(isAllowed: Int.random(in: 0...2, using: &random) == 0)
    if Int.random(in: 0...4, using: &random) == 0 { rule.services = ["other"] }
    (rule.methods, rule.topics) = (some(), some())
    return rule
  }

  @Test("hide nothing of which something may be done: each name asked for alone says whether", arguments: 1...8)
  func visible(seed: UInt64) throws {
    var random = SplitMix(state: seed)
    let configuration = try Configuration.load(
      yaml: """
        services:
          r: { pattern: rpc, connect: ["ipc:///nowhere/r"] }
          p: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/p"] } }
          s: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/s"], topics: [a, bb] } }
        """, file: "gateway.yaml")
    let (rpc, publishing, subscribed) = (
      configuration.services[0], configuration.services[1], configuration.services[2]
    )
    var hidden = 0
    for _ in 0..<300 {
      let rules = (0...Int.random(in: 0...3, using: &random)).map { _ in Self.rule(&random) }
      let permissions = try #require(Permissions(rules, subject: "alice", scopes: []))
      if Self.methods.contains(where: { permissions.allow(calling: $0, of: "r") }) {
        #expect(permissions.mayReach(rpc), "\(rules)")
      } else {
        hidden += permissions.mayReach(rpc) ? 0 : 1
      }
      for method in Self.methods
      where Self.words.contains(where: {
        (try? permissions.check(publishing: method, on: Array($0.utf8), of: "p")) != nil
      }) {
        #expect(permissions.mayPublish(method, to: "p", offering: [[]]) && permissions.mayReach(publishing), "\(rules)")
      }
      let access: TopicAccess?
      do throws(Problem) { access = try permissions.topics(of: "s") } catch { access = TopicAccess([]) }
      let seen = Self.words.filter { access?.allows(Array($0.utf8)) ?? true }
      for prefix in Self.words where seen.contains(where: { $0.hasPrefix(prefix) }) {
        #expect(access?.mayAllow(prefix: Array(prefix.utf8)) ?? true, "\(prefix): \(rules)")
      }
      if seen.contains(where: { $0.hasPrefix("a") || $0.hasPrefix("bb") }) {
        #expect(permissions.mayReach(subscribed), "\(rules)")
      } else {
        hidden += permissions.mayReach(subscribed) ? 0 : 1
      }
    }
    #expect(hidden > 50)
  }

  @Test("of globs: one covers another only when it matches all names that the other does")
  func covers() {
    var random = SplitMix(state: 9)
    var covering = 0
    for _ in 0..<3_000 {
      let (pattern, other) = (Self.pattern(&random), Self.pattern(&random))
      guard Glob(pattern).covers(Glob(other)) else { continue }
      covering += 1
      for word in Self.words where Glob(other).matches(word.utf8.span) {
        let isMatched = Glob(pattern).matches(word.utf8.span)
        #expect(isMatched, "\(pattern) \(other) \(word)")
      }
    }
    #expect(covering > 300)
  }
}
