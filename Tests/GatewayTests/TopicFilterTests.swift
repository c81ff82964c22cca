import Reactor
import Support
import Testing

@testable import Gateway

@Suite("the topics of a stream", .inTurn(minutes: 3))
struct TopicFilterTests {
  private func event(_ topic: [UInt8]?) -> Event {
    Event(sequence: 1, topic: topic, text: [], time: Instant(nanoseconds: 0))
  }

  private func filter(_ prefixes: String...) -> TopicFilter { TopicFilter(prefixes: prefixes.map { Array($0.utf8) }) }

  @Test(
    "a topic matches when it begins with one of the prefixes",
    arguments: [
      ("b", true), ("ba", true), ("a", false), ("c", false), ("", false), ("eu.orders", true), ("eu", false),
      ("eu.", true), ("eu/", false), ("zz", false),
    ])
  func prefixes(topic: String, matches: Bool) {
    #expect(filter("eu.", "b", "bab").matches(event(Array(topic.utf8))) == matches)
  }

  @Test("the empty prefix is all, no prefix is nothing, and what has no topic is for everybody")
  func extremes() {
    #expect(filter("", "a").matches(event([])))
    #expect(filter("", "a").matches(event([0xFF])))
    #expect(!filter().matches(event([])))
    #expect(filter("a").matches(event(nil)))
  }

  @Test("prefixes are kept once each, in the order of the request, those that others cover too")
  func asked() {
    #expect(filter("ab", "a", "ab", "c").prefixes == ["ab", "a", "c"].map { Array($0.utf8) })
    #expect(filter("a", "b", "a") == filter("a", "b"))
    #expect(filter("a", "b") != filter("b", "a"))
  }

  @Test("whatever the prefixes, it is the same as trying each")
  func each() {
    var generator = SystemRandomNumberGenerator()
    func word(_ longest: Int) -> [UInt8] {
      (0..<Int.random(in: 0...longest, using: &generator)).map { _ in
        [0, 1, 0xFF].randomElement(using: &generator) ?? 0
      }
    }
    for _ in 0..<2_000 {
      let prefixes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in word(4) }
      let topic = word(6)
      let expected = prefixes.contains { topic.starts(with: $0) }
      #expect(TopicFilter(prefixes: prefixes).matches(event(topic)) == expected, "\(prefixes) \(topic)")
    }
  }
}
