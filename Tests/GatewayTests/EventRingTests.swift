import Reactor
import Testing

@testable import Gateway

@Suite("the ring of events", .timeLimit(.minutes(1)))
struct EventRingTests {
  private func event(_ sequence: UInt64, bytes: Int = 10, at second: Int64 = 0) -> Event {
    Event(
      sequence: sequence, topic: [], text: .init(repeating: 0, count: bytes),
      time: Instant(nanoseconds: second * 1_000_000_000))
  }

  private func ring(events: Int = 1_000, bytes: Int = 1_000_000, age: Duration = .seconds(1_000)) -> EventRing {
    var bounds = Configuration.History()
    bounds.events = events
    bounds.bytes = bytes
    bounds.age = age
    return EventRing(bounds)
  }

  @Test("events are found by their sequence, wherever it begins")
  func find() {
    var ring = ring()
    #expect(ring.end == nil)
    for sequence in 7...9 as ClosedRange<UInt64> { ring.append(event(sequence)) }
    #expect(ring[6] == nil)
    #expect(ring[7]?.sequence == 7)
    #expect(ring[9]?.sequence == 9)
    #expect(ring[10] == nil)
    #expect(ring.end == 10)
    #expect(ring.missed(since: 5) == 2)
    #expect(ring.missed(since: 7) == 0)
  }

  @Test("as many as the bound stay, one more lets the oldest go", arguments: [(2_000, 0), (2_001, 1)])
  func count(count: UInt64, gone: UInt64) {
    var ring = ring(events: 2_000)
    for sequence in 1...count { ring.append(event(sequence)) }
    #expect(ring.count == 2_000)
    #expect(ring.missed(since: 1) == gone)
  }

  @Test("as many bytes as the bound stay, one more lets the oldest go", arguments: [(1 << 20, 8), (1 << 20 + 1, 7)])
  func bytes(last: Int, count: Int) {
    var ring = ring(bytes: 8 << 20)
    for sequence in 1...7 as ClosedRange<UInt64> { ring.append(event(sequence, bytes: 1 << 20)) }
    ring.append(event(8, bytes: last))
    #expect(ring.count == count)
    #expect(ring.bytes <= 8 << 20)
  }

  @Test("events as old as the bound stay, older ones go", arguments: [(60, 1_025), (61, 1_024)])
  func age(second: Int64, count: Int) {
    var ring = ring(events: 2_000, age: .seconds(60))
    for sequence in 1...1_024 as ClosedRange<UInt64> { ring.append(event(sequence)) }
    ring.append(event(1_025, at: second))
    #expect(ring.count == count)
  }

  @Test("however little history is wanted, what streams are about to read stays", arguments: [(1_024, 0), (1_025, 1)])
  func fewest(count: UInt64, gone: UInt64) {
    var ring = ring(events: 0, bytes: 0, age: .zero)
    for sequence in 1...count { ring.append(event(sequence, at: Int64(sequence))) }
    #expect(ring.missed(since: 1) == gone)
  }

  @Test("the newest event always stays, however long it is")
  func newest() {
    var ring = ring(bytes: 0)
    ring.append(event(1))
    ring.append(event(2, bytes: 5 << 20))
    #expect(ring.count == 1)
    #expect(ring[2] != nil)
  }

  @Test("when events are missing in between, the older ones are forgotten and counted as missed")
  func hole() {
    var ring = ring()
    ring.append(event(1))
    ring.append(event(5))
    #expect(ring[1] == nil)
    #expect(ring[5] != nil)
    #expect(ring.missed(since: 1) == 4)
  }

  @Test("after it was emptied, any sequence may follow")
  func empty() {
    var ring = ring()
    ring.append(event(1))
    ring.removeAll()
    #expect(ring.bytes == 0)
    #expect(ring.count == 0)
    ring.append(event(9))
    #expect(ring[9] != nil)
    #expect(ring[1] == nil)
  }
}
