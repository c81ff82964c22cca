import Reactor
import Support
import Testing

@testable import Gateway

@Suite("where a stream begins", .inTurn(minutes: 3))
struct ResumptionTests {
  /// A history that is bounded to so many events, and has seen so many.
  private func history(keeping events: Int = 3, seen: UInt64) -> EventHistory {
    var bounds = Configuration.History()
    bounds.events = events
    var history = EventHistory(bounds)
    for sequence in 0..<seen {
      history.append(Event(sequence: sequence + 1, topic: [], text: [10], time: Instant(nanoseconds: 0)))
      history.trim()
    }
    return history
  }

  private func resume(_ start: Resumption.Start, in history: EventHistory) -> Resumption {
    Resumption(start, epoch: "now", in: history)
  }

  @Test("is the next event, or the oldest that is kept, as asked for; nothing is said to be missing")
  func fresh() {
    for (seen, latest, earliest) in [(0, 1, 1), (2, 3, 1), (3, 4, 1), (4, 5, 2)] as [(UInt64, UInt64, UInt64)] {
      let history = history(seen: seen)
      #expect(resume(.latest, in: history).next == latest)
      #expect(resume(.earliest, in: history).next == earliest)
      #expect(resume(.latest, in: history).gap == nil)
      #expect(resume(.earliest, in: history).gap == nil)
    }
  }

  @Test(
    "is what follows the id, or the oldest kept after a gap that counts what is missing",
    arguments: [
      (10, 11, nil), (9, 10, nil), (7, 8, nil), (6, 8, 1), (1, 8, 6), (0, 8, 7),
    ] as [(UInt64, UInt64, Int?)])
  func resumed(number: UInt64, next: UInt64, missed: Int?) {
    let resumption = resume(.after("now-\(number)"), in: history(seen: 10))
    #expect(resumption.next == next)
    #expect(resumption.gap == missed.map { EventGap(reason: .evicted, missed: $0) })
  }

  @Test("is the oldest event kept for an id of another run, and the next one for what is no id of the service")
  func foreign() {
    let history = history(seen: 10)
    for id in ["then-7", "then-999999", "x-0"] {
      #expect(resume(.after(id), in: history).next == 8)
      #expect(resume(.after(id), in: history).gap == EventGap(reason: .restart, missed: nil))
    }
    for id in ["now-11", "now-18446744073709551615", "now", "no id", "now-007"] {
      #expect(resume(.after(id), in: history).next == 11)
      #expect(resume(.after(id), in: history).gap == EventGap(reason: .unknownID, missed: nil))
    }
  }

  @Test("is the next event where no history is kept, and nobody knows how many are missing")
  func none() {
    let history = history(keeping: 0, seen: 10)
    for number in [0, 5, 10] {
      #expect(resume(.after("now-\(number)"), in: history).next == 11)
      #expect(resume(.after("now-\(number)"), in: history).gap == EventGap(reason: .evicted, missed: nil))
    }
    #expect(resume(.after("then-5"), in: history).gap == EventGap(reason: .restart, missed: nil))
    #expect(resume(.earliest, in: history).next == 11)
  }

  @Test("is the next event when all are too old, and nothing is missing to a client that saw the last")
  func aged() {
    var history = history(seen: 3)
    history.expire(at: Instant(nanoseconds: 3_600_000_000_000))
    #expect(resume(.after("now-3"), in: history) == resume(.latest, in: history))
    #expect(resume(.after("now-2"), in: history).gap == EventGap(reason: .evicted, missed: 1))
  }
}
