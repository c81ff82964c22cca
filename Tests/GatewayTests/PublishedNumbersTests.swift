import MessagePack
import Reactor
import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("the numbers of publishers", .inTurn(minutes: 3))
struct PublishedNumbersTests {
  private let a = Array("a".utf8)
  private let b = Array("b".utf8)

  private func numbers(
    _ place: Configuration.Numbering.Place = .frame, per scope: Configuration.Numbering.Scope = .topic, topics: Int = 10
  ) -> PublishedNumbers {
    var numbering = Configuration.Numbering(place)
    numbering.scope = scope
    numbering.topics = topics
    return PublishedNumbers(numbering)
  }

  @Test(
    "tell how many messages are lost between two, and nothing when they follow each other",
    arguments: [
      (5, 6, 0), (5, 7, 1), (0, 1_000, 999), (0, 1 << 53, 1 << 53 - 1), (0, 1 << 53 + 1, nil), (5, .max, nil),
    ]
      as [(UInt64, UInt64, Int?)])
  func lost(first: UInt64, second: UInt64, missed: Int?) {
    var numbers = numbers()
    #expect(numbers.lost(before: first, on: a) == nil)
    #expect(numbers.lost(before: second, on: a) == (missed == 0 ? nil : EventGap(reason: .lost, missed: missed)))
  }

  @Test(
    "of a publisher that begins anew tell that something is lost, and not how much", arguments: [5, 4, 0] as [UInt64])
  func again(second: UInt64) {
    var numbers = numbers()
    _ = numbers.lost(before: 5, on: a)
    #expect(numbers.lost(before: second, on: a) == EventGap(reason: .lost, missed: nil))
    #expect(numbers.lost(before: second + 1, on: a) == nil)
  }

  @Test("count for each topic, or for all topics of a publisher")
  func scopes() {
    var each = numbers()
    for number in 1...3 as ClosedRange<UInt64> {
      #expect(each.lost(before: number, on: a) == nil)
      #expect(each.lost(before: number, on: b) == nil)
    }
    var all = numbers(per: .publisher)
    #expect(all.lost(before: 1, on: a) == nil)
    #expect(all.lost(before: 2, on: b) == nil)
    #expect(all.lost(before: 4, on: a) == EventGap(reason: .lost, missed: 1))
  }

  @Test("are remembered for so many topics", arguments: [(2, 1), (1, nil)] as [(Int, Int?)])
  func bound(topics: Int, missed: Int?) {
    var numbers = numbers(topics: topics)
    _ = numbers.lost(before: 1, on: a)
    _ = numbers.lost(before: 1, on: b)
    #expect(numbers.lost(before: 3, on: a) == missed.map { EventGap(reason: .lost, missed: $0) })
  }

  /// What is lost between two messages.
  private func lost(
    _ place: Configuration.Numbering.Place, keywords: [[UInt8]] = [[0x80], [0x80]], frames: [[UInt8]?] = [nil, nil]
  ) -> EventGap? {
    var numbers = numbers(place)
    var gap: EventGap?
    for (keywords, frame) in zip(keywords, frames) {
      a.withUnsafeBytes { topic in
        keywords.withUnsafeBytes { keywords in
          (frame ?? []).withUnsafeBytes { extra in
            let call = BorrowedCall(topic: topic, method: topic, arguments: topic, keywords: keywords)
            gap = numbers.lost(before: call, extra: frame == nil ? nil : extra)
          }
        }
      }
    }
    return gap
  }

  @Test("stand in a keyword argument, wherever it stands; what is no number there is none")
  func keywords() {
    func map(_ value: Value) -> [UInt8] {
      let other: Value = .array([.int(1), .map([.init(.string("n"), .int(70))])])
      return Value.map([.init(.string("m"), other), .init(.string("n"), value), .init(.string("o"), .nil)]).packed
    }
    let one = EventGap(reason: .lost, missed: 1)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), map(.int(302))]) == one)
    #expect(lost(.keyword("n"), keywords: [map(.uint(.max - 2)), map(.uint(.max))]) == one)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), map(.int(-1))]) == nil)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), map(.string("302"))]) == nil)
    #expect(lost(.keyword("x"), keywords: [map(.int(300)), map(.int(302))]) == nil)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), [0x81, 0xA1, 0x6E]]) == nil)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), [0xDF, 0xFF, 0xFF, 0xFF, 0xFF]]) == nil)
    #expect(lost(.keyword("n"), keywords: [map(.int(300)), []]) == nil)
  }

  @Test("stand in a frame of eight bytes, or of MessagePack; what is no number there is none")
  func frames() {
    let one = EventGap(reason: .lost, missed: 1)
    let zeros = [UInt8](repeating: 0, count: 6)
    #expect(lost(.frame, frames: [zeros + [1, 0], zeros + [1, 2]]) == one)
    #expect(lost(.frame, frames: [[5], [7]]) == one)
    #expect(lost(.frame, frames: [[0xCC, 200], [0xCD, 0, 202]]) == one)
    for other in [nil, [], [0xA1, 0x37], [0xFF], [0xCD, 0], [0xC0], zeros] as [[UInt8]?] {
      #expect(lost(.frame, frames: [[5], other]) == nil)
    }
  }
}
