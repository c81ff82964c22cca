import Reactor
import Support
import Testing

@testable import Gateway

@Suite("topics with wildcards", .inTurn(minutes: 3))
struct TopicPatternTests {
  @Test(
    "a star is any one token, a final > is the rest of one at least",
    arguments: [
      ("orders.*.eu", "orders.created.eu", true), ("orders.*.eu", "orders.eu", false),
      ("orders.*.eu", "orders.a.b.eu", false), ("orders.*.eu", "orders.created.eu.paid", false),
      ("orders.*.eu", "orders.created.europe", false), ("orders.*.eu", "orders.created.e", false),
      ("orders.*.eu", "orders..eu", true), ("orders.*", "orders.", true), ("orders.*", "orders", false),
      ("*", "", true), ("*", "a", true), ("*", "a.b", false), ("*.>", "a", false), ("*.>", "a.", true),
      ("*.>", "a.b.c", true), ("*.eu.>", "orders.eu.paid", true), ("*.eu.>", "orders.eu", false),
      ("*.a*", "x.a*", true), ("*.a*", "x.ab", false), ("*.>.b", "x.>.b", true), ("*.>.b", "x.y.b", false),
    ])
  func examples(pattern: String, topic: String, matches: Bool) throws {
    #expect(try #require(TopicPattern(pattern.bytes)).matches(topic.bytes) == matches)
  }

  @Test(
    "what has no whole star is no pattern", arguments: ["", "a", "a*", "*a.b", "a.b*", "a.**.b", "a.>", ">", "a.>.b"])
  func prefixes(topic: String) { #expect(TopicPattern(topic.bytes) == nil) }

  @Test(
    "a final > alone is a token", arguments: [("a.>", true), (">", true), ("a>", false), ("a.>.b", false), ("", false)])
  func rest(topic: String, takesRest: Bool) { #expect(TopicPattern.takesRest(topic.bytes) == takesRest) }

  @Test("it matches as tokens that are split and compared do, and what matches begins with its prefix")
  func reference() throws {
    var random = SplitMix(state: 8)
    func topic(_ letters: [UInt8]) -> [UInt8] {
      (0..<Int.random(in: 0...9, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
    }
    var matched = 0
    for _ in 0..<40_000 {
      let text = topic("a*>..".bytes)
      guard let pattern = TopicPattern(text) else { continue }
      let topic = topic("a*>..".bytes)
      let wanted = text.split(separator: 0x2E, omittingEmptySubsequences: false)
      let tokens = topic.split(separator: 0x2E, omittingEmptySubsequences: false)
      let takesRest = wanted.last?.elementsEqual(">".bytes) == true
      let head = takesRest ? wanted.dropLast() : wanted[...]
      let expected =
        (takesRest ? tokens.count > head.count : tokens.count == head.count)
        && zip(head, tokens).allSatisfy { $0.elementsEqual("*".bytes) || $0.elementsEqual($1) }
      #expect(
        pattern.matches(topic) == expected,
        "\(String(decoding: text, as: UTF8.self)) \(String(decoding: topic, as: UTF8.self))")
      guard expected else { continue }
      matched += 1
      #expect(topic.starts(with: pattern.prefix))
    }
    #expect(matched > 200)
  }

  private func event(_ number: UInt64, _ topic: String) -> Event {
    Event(sequence: number, topic: topic.bytes, text: [], time: Instant(nanoseconds: 0))
  }

  @Test("a filter matches by its prefixes or its patterns, and differs from one that has the same prefixes")
  func filter() throws {
    let pattern = try #require(TopicPattern("a.*.b".bytes))
    let both = TopicFilter(prefixes: ["x".bytes], patterns: [pattern])
    #expect(both.prefixes == ["x".bytes, "a.".bytes])
    for (topic, matches) in [("xy", true), ("a.1.b", true), ("a.1.c", false), ("a.", false)] {
      #expect(both.matches(event(1, topic)) == matches)
    }
    let only = TopicFilter(prefixes: [], patterns: [pattern])
    #expect(only.matches(event(1, "a.1.b")))
    #expect(!only.matches(event(1, "a.1.c")))
    #expect(only != TopicFilter(prefixes: ["a.".bytes]))
    #expect(only != TopicFilter(prefixes: ["a.".bytes], patterns: [pattern]))
    #expect(only == TopicFilter(prefixes: [], patterns: [pattern]))
    #expect(only.hashValue == TopicFilter(prefixes: [], patterns: [pattern]).hashValue)
  }

  @Test("streams with patterns are woken by the first event that matches, and others by the first that begins right")
  func wakes() throws {
    let some = TopicFilter(prefixes: [], patterns: [try #require(TopicPattern("a.*.b".bytes))])
    let all = TopicFilter(prefixes: ["a.".bytes])
    var subscriptions = Subscriptions(limit: 10, linger: .zero)
    _ = subscriptions.add(some)
    #expect(subscriptions.wakes(for: [event(1, "a.1.c"), event(2, "a.2.b"), event(3, "a.3.b")]).filters == [some: 2])
    #expect(subscriptions.wakes(for: [event(1, "a.1.c")]).filters.isEmpty)
    _ = subscriptions.add(all)
    #expect(subscriptions.count == 1)
    #expect(
      subscriptions.wakes(for: [event(1, "a.1.c"), event(2, "a.2.b")]).filters == [some: 2, all: 1])
    subscriptions.remove(some, at: Instant(nanoseconds: 0))
    subscriptions.remove(all, at: Instant(nanoseconds: 0))
    while subscriptions.expire(at: Instant(nanoseconds: 1)) != nil {}
    #expect(subscriptions.count == 0)
  }
}
