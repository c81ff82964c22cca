import Reactor
import Support
import Testing
import ZeroMQRPC

@testable import Gateway

@Suite("what waits for a long event", .inTurn(minutes: 3))
struct EventBacklogTests {
  private let memory = MemoryBudget(limit: 10_000)

  private func waiting(_ topic: String, bytes: Int) -> WaitingEvent {
    let arguments = [UInt8](repeating: 0, count: bytes)
    return topic.bytes.withUnsafeBytes { topic in
      arguments.withUnsafeBytes { arguments in
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return WaitingEvent(
          copying: BorrowedCall(topic: topic, method: topic, arguments: arguments, keywords: none), in: memory)
      }
    }
  }

  @Test("keeps its order, and gives nothing while one is held up")
  func order() {
    var backlog = EventBacklog()
    #expect(backlog.isEmpty)
    for topic in ["a", "b"] { backlog.append(.call(waiting(topic, bytes: 10))) }
    backlog.append(.upstream(Publishers(connected: 1, all: 2)))
    guard case .call(let first)? = backlog.next() else { return #expect(Bool(false), "a call") }
    #expect(first.lend { Array(($0.topic ?? .init(start: nil, count: 0))) } == "a".bytes)
    #expect(
      first.lend { [$0.topic?.count ?? 0, $0.method.count, $0.arguments.count, $0.keywords.count] } == [1, 1, 10, 0])
    backlog.holdUp()
    #expect(!backlog.hasNext)
    #expect(backlog.next() == nil)
    backlog.goOn()
    guard case .call(let second)? = backlog.next() else { return #expect(Bool(false), "a call") }
    #expect(second.lend { Array(($0.topic ?? .init(start: nil, count: 0))) } == "b".bytes)
    backlog.holdUp()
    #expect(!backlog.isEmpty)
    backlog.goOn()
    guard case .upstream? = backlog.next() else { return #expect(Bool(false), "an upstream event") }
    #expect(backlog.isEmpty)
  }

  @Test("gaps in a row with one reason are one, for the topic that all had or for all")
  func gaps() {
    var backlog = EventBacklog()
    backlog.append(.gap(EventGap(reason: .memory), topic: [1]))
    backlog.append(.gap(EventGap(reason: .memory), topic: [1]))
    backlog.append(.gap(EventGap(reason: .undecodable), topic: [1]))
    backlog.append(.gap(EventGap(reason: .undecodable), topic: [2]))
    backlog.append(.call(waiting("a", bytes: 1)))
    backlog.append(.gap(EventGap(reason: .undecodable), topic: [2]))
    var gaps: [(EventGap, [UInt8]?)] = []
    while let item = backlog.next() { if case .gap(let gap, let topic) = item { gaps.append((gap, topic)) } }
    #expect(gaps.map(\.0.missed) == [2, 2, 1])
    #expect(gaps.map(\.1) == [[1], nil, [2]])
  }

  @Test("what waits counts in the memory until it is let go, also what is short")
  func counted() {
    do {
      var backlog = EventBacklog()
      for _ in 0..<3 { backlog.append(.call(waiting("a", bytes: 98))) }
      #expect(memory.count == 3 * (100 + 256))
      _ = backlog.next()
      #expect(memory.count == 2 * (100 + 256))
    }
    #expect(memory.count == 0)
  }
}
