import Reactor
import Support
import Testing

@testable import Gateway

@Suite("work in pieces", .inTurn(minutes: 3))
struct PiecewiseWorkTests {
  @Test("is done in order, in each turn as much as it may cost, and at least one piece", arguments: [1, 3, 10, 11])
  func turns(cost: Int) throws {
    let loop = try Loop(clock: Instant.monotonic)
    let work = try PiecewiseWork(costPerTurn: 10, on: loop)
    var (done, turns): ([Int], [Int]) = ([], [])
    for number in 0..<20 { work.add(cost: cost) { done.append(number) } }
    while done.count < 20 {
      let before = done.count
      loop.turnOnce(sleepingAtMost: 0)
      turns.append(done.count - before)
    }
    #expect(done == Array(0..<20))
    #expect(turns.first == (9 + cost) / cost)
    #expect(!work.isReady())
  }

  @Test("what a piece adds comes after the others, and what is cancelled is not done")
  func added() throws {
    let loop = try Loop(clock: Instant.monotonic)
    let work = try PiecewiseWork(costPerTurn: 2, on: loop)
    var done: [String] = []
    work.add(cost: 1) { work.add(cost: 1) { done.append("added") } }
    work.add(cost: 1) { done.append("second") }
    loop.turnOnce(sleepingAtMost: 0)
    #expect(done == ["second"])
    work.add(cost: 1) { done.append("cancelled") }
    loop.turnOnce(sleepingAtMost: 0)
    #expect(done == ["second", "added", "cancelled"])
    work.add(cost: 1) { done.append("never") }
    work.cancel()
    loop.turnOnce(sleepingAtMost: 0)
    #expect(done.count == 3)
  }
}
