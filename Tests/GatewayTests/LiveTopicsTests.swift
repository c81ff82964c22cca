import Reactor
import Support
import Testing

@testable import Gateway

@Suite("what is told of the topics that streams ask for", .inTurn(minutes: 3))
struct LiveTopicsTests {
  private let a = Array("a".utf8)
  private let b = Array("b".utf8)
  private let c = Array("c".utf8)

  private func filter(_ prefixes: [UInt8]...) -> TopicFilter { TopicFilter(prefixes: prefixes) }

  private func subscriptions(limit: Int = 100) -> Subscriptions { Subscriptions(limit: limit, linger: .seconds(10)) }

  @Test("what streams ask for is told in order, with how many do; what lingers is not")
  func live() {
    var subscriptions = subscriptions()
    for filter in [filter(c, a), filter(a), filter(a), filter(b)] { _ = subscriptions.add(filter) }
    subscriptions.remove(filter(b), at: Instant(nanoseconds: 0))
    #expect(subscriptions.live().topics == [.init(prefix: a, streams: 3), .init(prefix: c, streams: 1)])
    #expect(subscriptions.live().isWhole)
    subscriptions.remove(filter(a), at: Instant(nanoseconds: 0))
    #expect(subscriptions.live().topics.map(\.streams) == [2, 1])
  }

  @Test("of what somebody may see each stream is told once, and the others not at all")
  func seen() {
    var subscriptions = subscriptions()
    for filter in [filter(c, a), filter(a), filter(b), filter(b)] { _ = subscriptions.add(filter) }
    func live(_ globs: String...) -> LiveTopics {
      subscriptions.live(seen: TopicAccess([.init(isAllowed: true, topics: globs.map(Glob.init))]))
    }
    let both: [LiveTopics.Topic] = [.init(prefix: a, streams: 2), .init(prefix: c, streams: 1)]
    #expect(live("a", "c") == LiveTopics(topics: both, streams: 2))
    #expect(live("b") == LiveTopics(topics: [.init(prefix: b, streams: 2)], streams: 2))
    #expect(live("x*") == LiveTopics())
  }

  @Test("a thousand topics are told, and that there are more", arguments: [(1_000, true), (1_001, false)])
  func manyLive(count: Int, isWhole: Bool) {
    var subscriptions = subscriptions(limit: 10_000)
    for number in 0..<count { _ = subscriptions.add(filter(Array("\(number + 10_000)".utf8))) }
    let live = subscriptions.live()
    #expect(live.topics.map(\.prefix) == (0..<1_000).map { Array("\($0 + 10_000)".utf8) })
    #expect(live.isWhole == isWhole)
  }

  @Test("no more than so many filters are looked at", arguments: [4_000, 12_000])
  func manyFilters(count: Int) {
    var subscriptions = subscriptions(limit: 100_000)
    for number in 0..<count { _ = subscriptions.add(filter(a, Array("z\(number)".utf8))) }
    #expect(!subscriptions.live().isWhole)
    #expect(subscriptions.live().topics.first?.streams == (count < LiveTopics.mostLooks ? count : nil))
  }
}
