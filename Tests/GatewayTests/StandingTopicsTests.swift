import Reactor
import Support
import Testing

@testable import Gateway

@Suite("what is subscribed to for good", .inTurn(minutes: 1))
struct StandingTopicsTests {
  private func prefixes(_ texts: String...) -> Set<[UInt8]> { Set(texts.map { Array($0.utf8) }) }

  /// A history that has given so many numbers, and keeps the last of them.
  private func history(of count: UInt64, keeping kept: Int = 100) -> EventHistory {
    var bounds = Configuration.History()
    bounds.events = kept
    var history = EventHistory(bounds)
    for sequence in 0..<count {
      history.append(
        Event(sequence: sequence + 1, topic: [0x61], text: [0x62], time: Instant(nanoseconds: 0)))
      history.trim()
    }
    return history
  }

  @Test("from the beginning, is whole whatever is asked for")
  func beginning() {
    let standing = StandingTopics(prefixes("a"))
    #expect(standing.areWhole(for: TopicFilter(["a.b"]), after: 0))
    #expect(standing.areWhole(for: TopicFilter(["b"]), after: 7))
  }

  @Test("since a change is whole behind later events, and before them for what stood already")
  func added() {
    var standing = StandingTopics(prefixes("a"))
    standing.use(prefixes("a", "b"), history(of: 9))
    for (topics, number, isWhole) in [
      (["a"], 3, true), (["a.b"], 9, true), (["b"], 9, false), (["a", "b"], 9, false), (["b"], 10, true),
    ] as [([String], UInt64, Bool)] {
      #expect(standing.areWhole(for: TopicFilter(topics), after: number) == isWhole, "\(topics) \(number)")
    }
  }

  @Test("is not whole for what was away between two changes")
  func away() {
    var standing = StandingTopics(prefixes("a", "b"))
    standing.use(prefixes("a"), history(of: 4))
    #expect(standing.areWhole(for: TopicFilter(["a"]), after: 2))
    standing.use(prefixes("a", "b"), history(of: 6))
    #expect(standing.areWhole(for: TopicFilter(["a"]), after: 2))
    #expect(!standing.areWhole(for: TopicFilter(["b"]), after: 2))
    // Another change, while the history still reaches back behind the last one.
    standing.use(prefixes("a", "b", "c"), history(of: 8))
    #expect(!standing.areWhole(for: TopicFilter(["b"]), after: 2))
    #expect(standing.areWhole(for: TopicFilter(["a"]), after: 2))
    // When that is no more kept, all that stood is whole.
    standing.use(prefixes("a", "b", "c", "d"), history(of: 30, keeping: 5))
    #expect(standing.areWhole(for: TopicFilter(["b", "c"]), after: 27))
    #expect(!standing.areWhole(for: TopicFilter(["d"]), after: 27))
  }

  @Test("where nothing stood, nothing is whole that came before")
  func nothing() {
    var standing = StandingTopics([])
    standing.use(prefixes(""), history(of: 3))
    #expect(!standing.areWhole(for: TopicFilter(["a"]), after: 2))
    #expect(standing.areWhole(for: TopicFilter(["a"]), after: 4))
  }
}
