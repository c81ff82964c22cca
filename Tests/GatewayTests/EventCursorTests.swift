import Reactor
import Support
import Testing

@testable import Gateway

@Suite("the cursor of a stream", .inTurn(minutes: 3))
struct EventCursorTests {
  private func event(_ sequence: UInt64, _ topic: String = "t") -> Event {
    Event(sequence: sequence, topic: topic.bytes, text: [10], time: Instant(nanoseconds: 0))
  }

  private func gap(_ sequence: UInt64) -> Event {
    Event(
      sequence: sequence, topic: nil,
      .gap(id: EventID(epoch: "e", number: sequence), EventGap(reason: .undecodable)), time: Instant(nanoseconds: 0))
  }

  private func beginning(_ page: EventPage, missed: Int? = nil) -> StreamBeginning {
    StreamBeginning(
      id: EventID(epoch: "e", number: page.first - 1), gap: missed.map { EventGap(reason: .evicted, missed: $0) },
      publishers: Publishers(connected: 1, all: 1), page: page, end: page.next)
  }

  @Test(
    "what is missing before the first event, by a gap that counts it, is lost; what nobody counts is no part of the stream"
  )
  func evicted() {
    let cursor = EventCursor(beginning(EventPage(from: 201), missed: 190), isSnapshot: false)
    let accounts = cursor.accounts(before: 301)
    #expect([accounts.passed, accounts.lost, accounts.unsent] == [290, 190, 100])
    #expect(accounts.areBalanced)
    #expect(EventCursor(beginning(EventPage(from: 201)), isSnapshot: false).accounts(before: 201).passed == 0)
  }

  @Test("a page's events come in their order, and what it leaves out between them is missed before the next")
  func page() throws {
    var page = EventPage(from: 1)
    page.supersede(1)
    page.pass(2)
    page.supersede(3)
    _ = page.take(event(4))
    _ = page.take(gap(5))
    page.supersede(6)
    var cursor = EventCursor(beginning(page), isSnapshot: false)
    #expect(cursor.accounts(before: 7).unsent == 5)
    #expect(cursor.eventInPage { _ in false }?.sequence == 4)
    #expect(cursor.missed == 2)
    #expect(cursor.tell() == 2)
    cursor.hand(event(4))
    #expect(cursor.eventInPage { _ in false }?.sequence == 5)
    cursor.hand(gap(5))
    #expect(cursor.eventInPage { _ in false } == nil)
    #expect(cursor.missed == 1)
    // It was left out, and the client is not told: it is none of what was announced.
    let accounts = cursor.accounts(before: 7)
    #expect([accounts.delivered, accounts.filtered, accounts.lost, accounts.unsent] == [1, 1, 3, 1])
    #expect(accounts.areBalanced)
  }

  @Test("an event of a page that is superseded by the time it is looked at is left out")
  func supersededSince() {
    var page = EventPage(from: 1)
    for sequence in 1...3 as ClosedRange<UInt64> { _ = page.take(event(sequence)) }
    var cursor = EventCursor(beginning(page), isSnapshot: false)
    #expect(cursor.eventInPage { $0.sequence < 3 }?.sequence == 3)
    #expect(cursor.missed == 2)
  }

  @Test("what a snapshot leaves out is neither delivered nor filtered")
  func snapshot() {
    var page = EventPage(from: 1)
    _ = page.take(event(7))
    page.end(at: 11)
    var cursor = EventCursor(beginning(page), isSnapshot: true)
    if let event = cursor.eventInPage(besides: { _ in false }) { cursor.hand(event) }
    let accounts = cursor.accounts(before: 12)
    #expect([accounts.delivered, accounts.filtered, accounts.superseded, accounts.unsent] == [1, 0, 9, 1])
    #expect(accounts.areBalanced)
  }

  @Test("whatever happens to it, each number has one end")
  func balance() {
    var random = SplitMix(state: 11)
    for _ in 0..<200 {
      var cursor = EventCursor(
        beginning(EventPage(from: 50), missed: Int.random(in: 0...49, using: &random)), isSnapshot: false)
      for _ in 0..<100 {
        if let event = cursor.eventInPage(besides: { $0.sequence.isMultiple(of: 7) }) {
          cursor.hand(event)
        } else {
          switch Int.random(in: 0..<6, using: &random) {
          case 0: cursor.hand(event(cursor.next))
          case 1: cursor.hand(gap(cursor.next))
          case 2: cursor.pass(to: cursor.next + UInt64.random(in: 0...9, using: &random))
          case 3: cursor.leaveOut(to: cursor.next + UInt64.random(in: 0...9, using: &random))
          case 4: _ = cursor.tell()
          default:
            var page = EventPage(from: cursor.next)
            for _ in 0..<Int.random(in: 0...9, using: &random) {
              switch Int.random(in: 0..<3, using: &random) {
              case 0: page.pass(page.next)
              case 1: page.supersede(page.next)
              default: _ = page.take(event(page.next))
              }
            }
            cursor.read(page, isSnapshot: Bool.random(using: &random))
          }
        }
        let end = cursor.next + UInt64.random(in: 0...9, using: &random)
        let accounts = cursor.accounts(before: end)
        #expect(accounts.areBalanced, "\(accounts)")
        #expect(accounts.unbalancedStreams == 0)
        #expect(cursor.accounts(before: 0).passed <= accounts.passed)
      }
    }
  }

  @Test("books of which two streams are wrong in opposite ways do not add up")
  func opposite() {
    var (one, other) = (EventAccounts(), EventAccounts())
    (one.passed, one.unbalancedStreams) = (1, 1)
    (other.lost, other.unbalancedStreams) = (1, 1)
    #expect((one + other).passed == (one + other).lost)
    #expect(!(one + other).areBalanced)
  }
}
