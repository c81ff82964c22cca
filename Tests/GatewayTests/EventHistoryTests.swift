import Reactor
import Support
import Testing

@testable import Gateway

@Suite("the history of events", .inTurn(minutes: 3))
struct EventHistoryTests {
  private func event(_ sequence: UInt64, _ topic: String? = "t", bytes: Int = 10, at second: Int64 = 0) -> Event {
    Event(
      sequence: sequence, topic: topic.map { Array($0.utf8) }, text: .init(repeating: 0, count: bytes),
      time: Instant(nanoseconds: second * 1_000_000_000))
  }

  private func history(events: Int = 1_000_000, bytes: Int = 1 << 30, age: Duration = .seconds(60)) -> EventHistory {
    var bounds = Configuration.History()
    bounds.events = events
    bounds.bytes = bytes
    bounds.age = age
    return EventHistory(bounds)
  }

  private let all = TopicFilter(prefixes: [[]])

  /// The sequences of a page and where it goes on.
  private func page(
    _ history: EventHistory, from sequence: UInt64, _ filter: TopicFilter? = nil
  ) -> (sequences: [UInt64], next: UInt64)? {
    let page = history.page(from: sequence, matching: filter ?? all)
    return page.first == sequence ? (page.events.map(\.sequence), page.next) : nil
  }

  @Test("events are found by their sequence, and nothing before or after them")
  func find() {
    var history = history(events: 3)
    #expect(history.end == 1)
    for sequence in 1...5 as ClosedRange<UInt64> { history.take(event(sequence)) }
    #expect(history.first == 3)
    #expect(history.end == 6)
    #expect(history[2] == nil)
    #expect(history[3]?.sequence == 3)
    #expect(history[5]?.sequence == 5)
    #expect(history[6] == nil)
  }

  @Test("as many as the bound stay, one more lets the oldest go", arguments: [(2_000, 1), (2_001, 2)])
  func count(count: UInt64, first: UInt64) {
    var history = history(events: 2_000)
    for sequence in 1...count { history.take(event(sequence)) }
    #expect(history.count == 2_000)
    #expect(history.first == first)
  }

  @Test("as many bytes as the bound stay, one more lets the oldest go", arguments: [(1 << 20, 8), (1 << 20 + 1, 7)])
  func bytes(last: Int, count: Int) {
    var history = history(bytes: 8 << 20)
    for sequence in 1...7 as ClosedRange<UInt64> { history.take(event(sequence, bytes: 1 << 20)) }
    history.take(event(8, bytes: last))
    #expect(history.count == count)
    #expect(history.bytes <= 8 << 20)
  }

  @Test("events as old as the bound stay, older ones go, the last one too", arguments: [(60, 2), (61, 1), (62, 0)])
  func age(second: Int64, count: Int) {
    var history = history(age: .seconds(60))
    history.take(event(1, at: 0))
    history.take(event(2, at: 1))
    #expect(history.nextExpiry == Instant(nanoseconds: 60_000_000_000))
    history.expire(at: Instant(nanoseconds: second * 1_000_000_000))
    #expect(history.count == count)
    #expect(history.end == 3)
    #expect((history.nextExpiry == nil) == (count == 0))
  }

  @Test(
    "as many events are let go for their age as is said, the oldest; the others wait",
    arguments: [(2, 8), (10, 0), (11, 0)])
  func ageInPieces(most: Int, count: Int) {
    var history = history(age: .seconds(60))
    for sequence in 1...10 as ClosedRange<UInt64> { history.take(event(sequence, at: 0)) }
    history.expire(at: Instant(nanoseconds: 61_000_000_000), atMost: most)
    #expect(history.count == count)
    #expect(history.first == UInt64(11 - count))
  }

  @Test("where no history is wanted none is kept, and the sequence goes on")
  func none() {
    var history = history(events: 0)
    for sequence in 1...3 as ClosedRange<UInt64> { history.take(event(sequence)) }
    #expect(history.count == 0)
    #expect(history.bytes == 0)
    #expect(history.end == 4)
  }

  @Test("a window begins anywhere and keeps 1,024 events", arguments: [(1_024, 7), (1_025, 8)])
  func window(count: UInt64, first: UInt64) {
    var window = EventHistory.window(from: 7)
    for sequence in 7..<(7 + count) { window.take(event(sequence)) }
    #expect(window.first == first)
  }

  @Test("a window keeps 4 MiB, and the newest event, however long it is")
  func windowBytes() {
    var window = EventHistory.window(from: 1)
    for sequence in 1...4 as ClosedRange<UInt64> { window.take(event(sequence, bytes: 1 << 20)) }
    #expect(window.first == 1)
    window.take(event(5, bytes: 1))
    #expect(window.first == 2)
    window.take(event(6, bytes: 5 << 20))
    #expect(window.first == 6)
    #expect(window[6] != nil)
  }

  @Test("what comes stays until the history is trimmed")
  func untrimmed() {
    var window = EventHistory.window(from: 1)
    for sequence in 1...2_000 as ClosedRange<UInt64> { window.append(event(sequence)) }
    #expect(window.first == 1)
    window.trim()
    #expect(window.first == 977)
  }

  @Test("pages follow each other without holes, and the last one leads to what comes next")
  func pages() {
    var history = history()
    for sequence in 1...130 as ClosedRange<UInt64> { history.take(event(sequence)) }
    var (read, next): ([UInt64], UInt64) = ([], 1)
    while let page = page(history, from: next), !page.sequences.isEmpty {
      #expect(page.sequences.count <= EventPage.mostEvents)
      read += page.sequences
      next = page.next
    }
    #expect(read == Array(1...130))
    #expect(next == 131)
    history.take(event(131))
    #expect(page(history, from: next)?.sequences == [131])
  }

  @Test("a page is as long as its bound, and holds one event in any case", arguments: [(0, 2), (1, 1), (1 << 20, 1)])
  func pageBytes(more: Int, count: Int) {
    var history = history()
    history.take(event(1, bytes: EventPage.mostBytes / 2))
    history.take(event(2, bytes: EventPage.mostBytes / 2 + more))
    #expect(page(history, from: 1)?.sequences.count == count)
    #expect(page(history, from: 2)?.sequences == [2])
  }

  @Test("a page holds what matches, and what every stream is told")
  func matching() {
    var history = history()
    for (sequence, topic) in [(1, "a"), (2, "b"), (3, nil), (4, "ab"), (5, "b")] as [(UInt64, String?)] {
      history.take(event(sequence, topic))
    }
    let page = page(history, from: 1, TopicFilter(prefixes: [Array("a".utf8)]))
    #expect(page?.sequences == [1, 3, 4])
    #expect(page?.next == 6)
  }

  @Test(
    "a page looks no further than its reach, where nothing matches",
    arguments: [(1_024, []), (1_023, [1_024])] as [(UInt64, [UInt64])])
  func reach(before: UInt64, found: [UInt64]) {
    var history = history()
    for sequence in 1...before { history.take(event(sequence, "b")) }
    history.take(event(before + 1, "a"))
    let page = page(history, from: 1, TopicFilter(prefixes: [Array("a".utf8)]))
    #expect(page?.sequences == found)
    #expect(page?.next == 1_025)
  }

  @Test("a page that conflates has the newest event of each topic, and counts those that it leaves out")
  func conflating() {
    var bounds = Configuration.History()
    bounds.events = 6
    var history = EventHistory(bounds, conflates: true)
    let long = String(repeating: "l", count: 246)
    for (index, topic) in ["a", "b", "a", nil, "b", "a", long, long, "c"].enumerated() {
      history.take(event(UInt64(index + 1), topic))
    }
    #expect(history.first == 4)
    let page = history.page(from: 4, matching: all, conflating: true)
    // Topics that may have been cut off are not taken for the same.
    #expect(page.events.map(\.sequence) == [4, 5, 6, 7, 8, 9])
    #expect(page.superseded == 0)
    history.take(event(10, "b"))
    history.take(event(11, "c"))
    let next = history.page(from: 2, matching: all, conflating: true)
    #expect(next.first == 6)
    #expect(next.events.map(\.sequence) == [6, 7, 8, 10, 11])
    #expect(next.superseded == 1)
    #expect(history.page(from: 6, matching: all).events.count == 6)
    #expect(history.page(from: 6, matching: TopicFilter(prefixes: [[0x62]]), conflating: true).superseded == 0)
  }

  @Test(
    "a window that conflates knows what a later event of the same topic has superseded, also of one that it does not hold"
  )
  func conflatingWindow() {
    var window = EventHistory.window(from: 5, conflates: true)
    for (sequence, topic) in [(5, "a"), (6, "b"), (7, "a")] as [(UInt64, String)] {
      window.take(event(sequence, topic))
    }
    #expect([5, 6, 7].map { window.isSuperseded(window[$0] ?? event(0)) } == [true, false, false])
    #expect(window.isSuperseded(event(3, "b")))
    #expect(!window.isSuperseded(event(8, "b")))
    #expect(!window.isSuperseded(event(3, "c")))
    #expect(!window.isSuperseded(event(3, nil)))
    var usual = EventHistory.window(from: 5)
    for sequence in 5...6 as ClosedRange<UInt64> { usual.take(event(sequence, "a")) }
    #expect(!usual.isSuperseded(event(5, "a")))
  }

  @Test("who asks for what is gone gets what is there, and learns where it begins")
  func evicted() {
    var history = history(events: 2)
    for sequence in 1...5 as ClosedRange<UInt64> { history.take(event(sequence)) }
    let page = history.page(from: 3, matching: all)
    #expect(page.first == 4)
    #expect(page.events.map(\.sequence) == [4, 5])
    #expect(page.next == 6)
    #expect(self.page(history, from: 3) == nil)
    #expect(self.page(history, from: 4)?.sequences == [4, 5])
  }
}

extension EventHistory {
  /// Takes an event and holds to the bounds, as a hub does.
  fileprivate mutating func take(_ event: Event) {
    append(event)
    trim()
  }
}

extension EventPage {
  /// The events in it.
  var events: [Event] {
    items.compactMap { if case .event(let event) = $0 { event } else { nil } }
  }

  /// How many it leaves out.
  var superseded: Int {
    items.reduce(0) { if case .superseded(let count) = $1 { $0 + count } else { $0 } }
  }
}
