import Reactor
import Support
import Testing

@testable import Gateway

@Suite("the last values of topics", .inTurn(minutes: 3))
struct LastValuesTests {
  private func values(topics: Int = 1_000, bytes: Int = 1 << 20) -> LastValues {
    var bounds = Configuration.LastValues()
    (bounds.topics, bounds.bytes) = (topics, bytes)
    return LastValues(bounds)
  }

  private func event(_ sequence: UInt64, _ topic: String, count: Int = 10) -> Event {
    Event(
      sequence: sequence, topic: topic.bytes, text: .init(repeating: 0x78, count: count), time: Instant(nanoseconds: 0))
  }

  private let all = TopicFilter(prefixes: [[]])

  private func sequences(_ values: LastValues, before end: UInt64 = .max, _ filter: TopicFilter? = nil) -> [UInt64] {
    var sequences: [UInt64] = []
    var next: UInt64 = 1
    while next < end {
      let page = values.page(from: next, before: end, matching: filter ?? all)
      #expect(page.events.count <= EventPage.mostEvents)
      #expect(page.next > next)
      sequences += page.events.map(\.sequence)
      next = page.next
    }
    return sequences
  }

  @Test("each topic has its latest event, and they come in the order in which they came in")
  func latest() {
    var values = values()
    for (sequence, topic) in [(1, "a"), (2, "b"), (3, "a"), (4, ""), (5, "c"), (6, "b")] as [(UInt64, String)] {
      values.keep(event(sequence, topic))
    }
    #expect(["a", "b", "c", "", "d"].map { values[$0.bytes]?.sequence } == [3, 6, 5, 4, nil])
    #expect(values.count == 4)
    #expect(sequences(values) == [3, 4, 5, 6])
    #expect(sequences(values, before: 5) == [3, 4])
    #expect(sequences(values, TopicFilter(prefixes: ["b".bytes, "c".bytes])) == [5, 6])
  }

  @Test("beyond either bound the topic goes that has been silent longest")
  func bounds() {
    var few = values(topics: 3)
    for (sequence, topic) in [(1, "a"), (2, "b"), (3, "c"), (4, "a")] as [(UInt64, String)] {
      few.keep(event(sequence, topic))
    }
    #expect(few.count == 3)
    few.keep(event(5, "d"))
    #expect(sequences(few) == [3, 4, 5])
    let weight = 100 + 1 + 256
    var small = values(bytes: 2 * weight)
    for (sequence, topic) in [(1, "a"), (2, "b")] as [(UInt64, String)] {
      small.keep(event(sequence, topic, count: 100))
    }
    #expect(small.bytes == 2 * weight)
    #expect(sequences(small) == [1, 2])
    small.keep(event(3, "b", count: 101))
    #expect(sequences(small) == [3])
    #expect(small.bytes == weight + 1)
    // One that is too long leaves no older one in its place.
    small.keep(event(4, "b", count: 2 * weight))
    #expect(small.count == 0)
    #expect(small.bytes == 0)
    let isGone = small.removeOldest()
    #expect(!isGone)
  }

  @Test("a topic longer than anybody can ask for has no value", arguments: [(245, true), (246, false)])
  func long(count: Int, isKept: Bool) {
    var values = values()
    values.keep(event(1, String(repeating: "t", count: count)))
    #expect((values.count == 1) == isKept)
  }

  @Test("it keeps what a dictionary does, and forgets what has been replaced")
  func reference() {
    var random = SplitMix(state: 4)
    var values = values(topics: 50)
    var known: [String: UInt64] = [:]
    for sequence in 1...20_000 as ClosedRange<UInt64> {
      let topic = "t\(Int.random(in: 0..<80, using: &random))"
      known[topic] = sequence
      values.keep(event(sequence, topic))
      if known.count > 50, let oldest = known.min(by: { $0.value < $1.value }) { known[oldest.key] = nil }
      if sequence.isMultiple(of: 500) {
        #expect(sequences(values) == known.values.sorted())
        #expect(values.count == known.count)
      }
    }
    while values.removeOldest() {}
    #expect(values.bytes == 0)
  }
}
