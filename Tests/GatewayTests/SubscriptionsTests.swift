import Reactor
import Support
import Testing

@testable import Gateway

@Suite("subscriptions at the publishers", .inTurn(minutes: 3))
struct SubscriptionsTests {
  private let a = Array("a".utf8)
  private let b = Array("b".utf8)
  private let c = Array("c".utf8)

  private func second(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

  private func filter(_ prefixes: [UInt8]...) -> TopicFilter { TopicFilter(prefixes: prefixes) }

  private func subscriptions(limit: Int = 100, linger: Duration = .seconds(10)) -> Subscriptions {
    Subscriptions(limit: limit, linger: linger)
  }

  @Test("the first stream that needs a prefix subscribes, further ones do not")
  func first() {
    var subscriptions = subscriptions()
    #expect(subscriptions.open(filter(a, b)) == [.subscribe(a), .subscribe(b)])
    #expect(subscriptions.open(filter(b, c)) == [.subscribe(c)])
    #expect(subscriptions.open(filter(b)) == [])
    #expect(subscriptions.count == 3)
  }

  @Test("streams with equal filters cost nothing but the first and the last")
  func equal() {
    var subscriptions = subscriptions()
    #expect(subscriptions.add(filter(a, b)) == .opened(.init(actions: [.subscribe(a), .subscribe(b)], prefixes: 2)))
    for _ in 0..<10 { #expect(subscriptions.add(filter(a, b)) == .opened(.init())) }
    for _ in 0..<11 {
      #expect(subscriptions.nextExpiry == nil)
      subscriptions.remove(filter(a, b), at: second(0))
    }
    #expect(subscriptions.expire(at: second(10)) == .init(actions: [.unsubscribe(a), .unsubscribe(b)], prefixes: 2))
    #expect(subscriptions.expire(at: second(10)) == nil)
  }

  @Test("after the last stream the subscription lingers, and then ends", arguments: [(14, 0), (15, 1)])
  func last(time: Int64, ended: Int) {
    var subscriptions = subscriptions()
    _ = subscriptions.add(filter(a))
    _ = subscriptions.add(filter(a))
    subscriptions.remove(filter(a), at: second(1))
    #expect(subscriptions.nextExpiry == nil)
    #expect(subscriptions.end(at: second(100)) == [])
    subscriptions.remove(filter(a), at: second(5))
    #expect(subscriptions.nextExpiry == second(15))
    #expect(subscriptions.end(at: second(time)) == .init(repeating: .unsubscribe(a), count: ended))
    #expect(subscriptions.open(filter(a)) == .init(repeating: .subscribe(a), count: ended))
  }

  @Test("a stream that comes within that time finds the subscription, and ends it later")
  func again() {
    var subscriptions = subscriptions()
    _ = subscriptions.add(filter(a))
    subscriptions.remove(filter(a), at: second(0))
    #expect(subscriptions.open(filter(a)) == [])
    #expect(subscriptions.end(at: second(10)) == [])
    subscriptions.remove(filter(a), at: second(11))
    #expect(subscriptions.end(at: second(20)) == [])
    #expect(subscriptions.open(filter(a)) == [])
    subscriptions.remove(filter(a), at: second(15))
    #expect(subscriptions.end(at: second(24)) == [])
    #expect(subscriptions.nextExpiry == second(25))
    #expect(subscriptions.end(at: second(25)) == [.unsubscribe(a)])
    #expect(subscriptions.nextExpiry == nil)
  }

  @Test("a prefix that another filter needs stays when one of its filters has lingered")
  func shared() {
    var subscriptions = subscriptions()
    _ = subscriptions.add(filter(a, b))
    _ = subscriptions.add(filter(b, c))
    subscriptions.remove(filter(a, b), at: second(0))
    #expect(subscriptions.end(at: second(10)) == [.unsubscribe(a)])
    subscriptions.remove(filter(b, c), at: second(10))
    #expect(subscriptions.end(at: second(20)) == [.unsubscribe(b), .unsubscribe(c)])
    #expect(subscriptions.count == 0)
  }

  @Test("however often streams come and go, a subscription ends once", arguments: [Duration.zero, .seconds(10)])
  func flapping(linger: Duration) {
    var subscriptions = subscriptions(linger: linger)
    _ = subscriptions.add(filter(b))
    subscriptions.remove(filter(b), at: second(0))
    for _ in 0..<10_000 {
      _ = subscriptions.add(filter(a))
      subscriptions.remove(filter(a), at: second(0))
    }
    #expect(subscriptions.end(at: second(10)) == [.unsubscribe(b), .unsubscribe(a)])
    #expect(subscriptions.end(at: second(100)) == [])
  }

  @Test("as many different prefixes as the limit fit; a stream that asks for more is refused and changes nothing")
  func limit() {
    var subscriptions = subscriptions(limit: 2)
    #expect(subscriptions.open(filter(a)) == [.subscribe(a)])
    #expect(subscriptions.add(filter(b, c)) == .refused)
    #expect(subscriptions.count == 1)
    #expect(subscriptions.open(filter(a, b)) == [.subscribe(b)])
    #expect(subscriptions.add(filter(c)) == .refused)
    #expect(subscriptions.open(filter(a, b)) == [])
    subscriptions.remove(filter(a), at: second(0))
    subscriptions.remove(filter(a, b), at: second(0))
    #expect(subscriptions.add(filter(c)) != .opened(.init(actions: [.subscribe(c)], prefixes: 1)))
    #expect(subscriptions.open(filter(c)) == nil)
    subscriptions.remove(filter(a, b), at: second(0))
    #expect(subscriptions.open(filter(c)) == [.unsubscribe(a), .unsubscribe(b), .subscribe(c)])
  }

  @Test(
    "prefixes have 32 bytes on the average, or 64 KiB together: what is longer is too many, and what lingers makes room"
  )
  func bytes() {
    for (limit, most) in [(1_000, 64 << 10), (10_000, 320_000)] {
      var subscriptions = subscriptions(limit: limit)
      func filter(_ number: Int, _ bytes: Int) -> TopicFilter {
        TopicFilter(prefixes: [
          .init(repeating: UInt8(truncatingIfNeeded: number), count: bytes - 2) + [UInt8(number / 256), 7]
        ])
      }
      let full = most / 190
      for number in 0..<full { #expect(subscriptions.open(filter(number, 190)) != nil) }
      let rest = most - full * 190
      #expect(subscriptions.open(filter(full, rest + 1)) == nil)
      #expect(subscriptions.open(filter(full + 1, rest)) != nil)
      #expect(subscriptions.open(filter(full + 2, 2)) == nil)
      subscriptions.remove(filter(0, 190), at: second(0))
      #expect(subscriptions.open(filter(full + 3, 191)) == nil)
      #expect(subscriptions.open(filter(full + 4, 190)) != nil)
    }
  }

  @Test("what nobody asks for any more makes room, the oldest first, so that the limit holds at the publishers")
  func room() {
    var subscriptions = subscriptions(limit: 2)
    _ = subscriptions.add(filter(a))
    _ = subscriptions.add(filter(b))
    subscriptions.remove(filter(b), at: second(0))
    subscriptions.remove(filter(a), at: second(1))
    #expect(subscriptions.add(filter(c)) == .makingRoom(.init(actions: [.unsubscribe(b)], prefixes: 1)))
    #expect(subscriptions.open(filter(c)) == [.subscribe(c)])
    #expect(subscriptions.open(filter(b)) == [.unsubscribe(a), .subscribe(b)])
    #expect(subscriptions.end(at: second(100)) == [])
  }

  @Test("filters that linger name no more prefixes than the limit, also when they name the same ones")
  func manyLinger() {
    var subscriptions = subscriptions(limit: 3, linger: .seconds(3_600))
    for prefixes in [[a, b], [b, a], [a], [b]] {
      _ = subscriptions.add(TopicFilter(prefixes: prefixes))
      subscriptions.remove(TopicFilter(prefixes: prefixes), at: second(0))
      #expect(subscriptions.end(at: second(1)) == [])
    }
    _ = subscriptions.add(filter(c))
    subscriptions.remove(filter(c), at: second(1))
    // Two that name three prefixes were left; with this one it are three.
    #expect(subscriptions.nextExpiry == second(3_600))
    #expect(subscriptions.count == 3)
  }

  @Test("a stream that closed before it was counted is not counted down")
  func unknown() {
    var subscriptions = subscriptions()
    subscriptions.remove(filter(a), at: second(0))
    #expect(subscriptions.nextExpiry == nil)
    #expect(subscriptions.open(filter(a)) == [.subscribe(a)])
  }

  @Test("streams that come and go at random leave the publishers with what they ask for, and find their events")
  func model() {
    var generator = SystemRandomNumberGenerator()
    var (streams, now): ([TopicFilter], Int64) = ([], 0)
    var subscribed: Set<[UInt8]> = []
    let limit = 12
    var subscriptions = subscriptions(limit: limit, linger: .seconds(5))
    func word(_ longest: Int) -> [UInt8] {
      (0..<Int.random(in: 0...longest, using: &generator)).map { _ in [1, 2].randomElement(using: &generator) ?? 1 }
    }
    func tell(_ actions: [Subscriptions.Action]) {
      for action in actions {
        switch action {
        case .subscribe(let prefix): #expect(subscribed.insert(prefix).inserted)
        case .unsubscribe(let prefix): #expect(subscribed.remove(prefix) != nil)
        }
      }
    }
    for _ in 0..<20_000 {
      now += Int64.random(in: 0...1, using: &generator)
      if !streams.isEmpty, Bool.random(using: &generator) {
        subscriptions.remove(streams.remove(at: Int.random(in: 0..<streams.count, using: &generator)), at: second(now))
      } else {
        let filter = TopicFilter(prefixes: (0..<Int.random(in: 1...4, using: &generator)).map { _ in word(4) })
        let needed = Set((streams + [filter]).flatMap(\.prefixes))
        var opening = subscriptions.add(filter)
        while case .makingRoom(let work) = opening {
          tell(work.actions)
          opening = subscriptions.add(filter)
        }
        #expect((opening != .refused) == (needed.count <= limit))
        if case .opened(let work) = opening {
          tell(work.actions)
          streams.append(filter)
        }
      }
      tell(subscriptions.end(at: second(now)))
      #expect(subscribed.count == subscriptions.count)
      #expect(subscribed.count <= limit)
      #expect(subscribed.isSuperset(of: streams.flatMap(\.prefixes)))
      let events = (0..<3).map { _ in Event(sequence: 1, topic: word(5), text: [], time: second(now)) }
      let numbered = events.enumerated().map {
        Event(sequence: UInt64($0.offset), topic: $0.element.topic, text: [], time: second(now))
      }
      let wakes = subscriptions.wakes(for: numbered)
      for filter in streams { #expect(wakes.filters[filter] == numbered.first(where: filter.matches)?.sequence) }
    }
    for filter in streams { subscriptions.remove(filter, at: second(now)) }
    tell(subscriptions.end(at: second(now + 10)))
    #expect(subscribed.isEmpty)
  }

  @Test("an event without a topic wakes all, and those that were woken for an earlier one earlier")
  func forAll() {
    var subscriptions = subscriptions()
    _ = subscriptions.add(filter(a))
    _ = subscriptions.add(filter(b))
    let topics = [a, nil, b]
    let wakes = subscriptions.wakes(
      for: topics.enumerated().map { Event(sequence: UInt64($0), topic: $1, text: [], time: second(0)) })
    #expect(wakes.filters == [filter(a): 0])
    #expect(wakes.all == 1)
    // Whoever is woken for an earlier event reads on to this one.
    let later = subscriptions.wakes(
      for: [a, b, nil].enumerated().map { Event(sequence: UInt64($0), topic: $1, text: [], time: second(0)) })
    #expect(later.filters == [filter(a): 0, filter(b): 1])
  }
}

extension Subscriptions {
  /// All steps for a stream that wants to open: what to tell the publishers, or nil when it is refused.
  fileprivate mutating func open(_ filter: TopicFilter) -> [Action]? {
    var actions: [Action] = []
    while true {
      switch add(filter) {
      case .opened(let work): return actions + work.actions
      case .makingRoom(let work): actions += work.actions
      case .refused: return nil
      }
    }
  }

  /// All that has lingered long enough.
  fileprivate mutating func end(at now: Instant) -> [Action] {
    var actions: [Action] = []
    while let work = expire(at: now) { actions += work.actions }
    return actions
  }
}
