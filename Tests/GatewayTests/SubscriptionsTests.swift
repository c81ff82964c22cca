import Reactor
import Testing

@testable import Gateway

@Suite("subscriptions at the publishers", .timeLimit(.minutes(1)))
struct SubscriptionsTests {
  private let a = Array("a".utf8)
  private let b = Array("b".utf8)
  private let c = Array("c".utf8)

  private func second(_ second: Int64) -> Instant { Instant(nanoseconds: second * 1_000_000_000) }

  private func subscriptions(limit: Int = 100, linger: Duration = .seconds(10)) -> Subscriptions {
    Subscriptions(limit: limit, linger: linger)
  }

  @Test("the first stream that needs a prefix subscribes, further ones do not")
  func first() {
    var subscriptions = subscriptions()
    #expect(subscriptions.add([a, b]) == [.subscribe(a), .subscribe(b)])
    #expect(subscriptions.add([b, c]) == [.subscribe(c)])
    #expect(subscriptions.add([b]) == [])
    #expect(subscriptions.count == 3)
  }

  @Test("after the last stream the subscription lingers, and then ends", arguments: [(14, 0), (15, 1)])
  func last(time: Int64, ended: Int) {
    var subscriptions = subscriptions()
    _ = subscriptions.add([a])
    _ = subscriptions.add([a])
    subscriptions.remove([a], at: second(1))
    #expect(subscriptions.nextExpiry == nil)
    #expect(subscriptions.expire(at: second(100)) == [])
    subscriptions.remove([a], at: second(5))
    #expect(subscriptions.nextExpiry == second(15))
    #expect(subscriptions.count == 0)
    #expect(subscriptions.expire(at: second(time)) == .init(repeating: .unsubscribe(a), count: ended))
    #expect(subscriptions.add([a]) == .init(repeating: .subscribe(a), count: ended))
  }

  @Test("a stream that comes within that time finds the subscription, and ends it later")
  func again() {
    var subscriptions = subscriptions()
    _ = subscriptions.add([a])
    subscriptions.remove([a], at: second(0))
    #expect(subscriptions.add([a]) == [])
    #expect(subscriptions.expire(at: second(10)) == [])
    subscriptions.remove([a], at: second(11))
    #expect(subscriptions.expire(at: second(20)) == [])
    #expect(subscriptions.expire(at: second(21)) == [.unsubscribe(a)])
    #expect(subscriptions.nextExpiry == nil)
  }

  @Test("however often streams come and go, a subscription ends once", arguments: [Duration.zero, .seconds(10)])
  func flapping(linger: Duration) {
    var subscriptions = subscriptions(linger: linger)
    _ = subscriptions.add([b])
    subscriptions.remove([b], at: second(0))
    for _ in 0..<10_000 {
      _ = subscriptions.add([a])
      subscriptions.remove([a], at: second(0))
    }
    #expect(subscriptions.expire(at: second(10)) == [.unsubscribe(b), .unsubscribe(a)])
    #expect(subscriptions.expire(at: second(100)) == [])
  }

  @Test("as many different prefixes as the limit fit; a stream that asks for more is refused and changes nothing")
  func limit() {
    var subscriptions = subscriptions(limit: 2)
    #expect(subscriptions.add([a]) == [.subscribe(a)])
    #expect(subscriptions.add([b, c]) == nil)
    #expect(subscriptions.count == 1)
    #expect(subscriptions.add([a, b]) == [.subscribe(b)])
    #expect(subscriptions.add([c]) == nil)
    #expect(subscriptions.add([a, b]) == [])
    subscriptions.remove([a], at: second(0))
    subscriptions.remove([a], at: second(0))
    #expect(subscriptions.add([c]) == nil)
    subscriptions.remove([a], at: second(0))
    #expect(subscriptions.add([c]) != nil)
  }

  @Test("what nobody asks for any more makes room, the oldest first, so that the limit holds at the publishers")
  func room() {
    var subscriptions = subscriptions(limit: 2)
    _ = subscriptions.add([a])
    _ = subscriptions.add([b])
    subscriptions.remove([b], at: second(0))
    subscriptions.remove([a], at: second(1))
    #expect(subscriptions.add([c]) == [.unsubscribe(b), .subscribe(c)])
    #expect(subscriptions.add([b]) == [.unsubscribe(a), .subscribe(b)])
    #expect(subscriptions.expire(at: second(100)) == [])
  }

  @Test("a stream that closed before it was counted is not counted down")
  func unknown() {
    var subscriptions = subscriptions()
    subscriptions.remove([a], at: second(0))
    #expect(subscriptions.nextExpiry == nil)
    #expect(subscriptions.add([a]) == [.subscribe(a)])
  }
}
