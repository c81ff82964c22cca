import CLinux
import Support
import Testing

@testable import Reactor

@Suite("work beside the reactors", .inTurn(minutes: 3))
struct BackgroundQueueTests {
  @Test("is done in the order in which it was added, also by several threads, and one piece at a time")
  func order() async throws {
    let queue = BackgroundQueue(name: "test")
    let done = Guarded<[Int]>([])
    let atOnce = Guarded(0)
    for number in 0..<1_000 {
      queue.add {
        let count = atOnce.withLock { count in
          count += 1
          return count
        }
        #expect(count == 1)
        done.withLock { $0.append(number) }
        atOnce.withLock { $0 -= 1 }
      }
    }
    try await eventually("all is done") { done.withLock { $0.count } == 1_000 }
    #expect(done.withLock { $0 } == Array(0..<1_000))
  }

  @Test("is not done on the caller's thread, and goes on after a pause")
  func pause() async throws {
    let queue = BackgroundQueue(name: "test")
    let reactor = try Reactor(name: "caller")
    let done = Guarded(0)
    for round in 1...3 {
      reactor.submit {
        queue.add {
          #expect(!reactor.isCurrent)
          done.withLock { $0 += 1 }
        }
      }
      try await eventually("round \(round)") { done.withLock { $0 } == round }
    }
    await reactor.stop()
  }
}
