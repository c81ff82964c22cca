import Support
import Testing

@testable import Reactor

@Suite("a limit that shards share", .inTurn(minutes: 3))
struct SharedLimitTests {
  @Test("as many as the limit get a place, one more does not, and a place given back is free", arguments: [1, 2, 100])
  func limit(limit: Int) {
    let cap = SharedLimit(limit: limit)
    for _ in 0..<limit { #expect(cap.enter()) }
    #expect(!cap.enter())
    #expect(cap.count == limit)
    cap.leave()
    #expect(cap.enter())
    #expect(!cap.enter())
  }

  @Test("a part of the places is rounded up, and what is taken of it counts for all")
  func share() {
    let cap = SharedLimit(limit: 3)
    #expect(cap.enter(within: 50) && cap.enter(within: 50))
    #expect(!cap.enter(within: 50) && cap.count == 2)
    #expect(cap.enter(within: 100) && !cap.enter(within: 100) && !cap.enter())
    #expect(SharedLimit(limit: 1).enter(within: 1))
    #expect(!SharedLimit(limit: 0).enter(within: 100))
  }

  @Test("a budget has room up to its limit, for what is short beyond it, and a share gives back what it held")
  func budget() {
    let budget = MemoryBudget(limit: 10_000)
    do {
      let share = MemoryShare(of: budget)
      var held: [(Bool, Int)] = []
      for bytes in [4_095, 4_096, 10_000, 10_001] { held.append((share.hold(bytes), budget.count)) }
      #expect(held.map(\.0) == [true, true, true, false])
      #expect(held.map(\.1) == [0, 4_096, 10_000, 10_000])
      #expect(budget.hasRoom(for: 4_095))
      #expect(!budget.hasRoom(for: 4_096))
      share.force(20_000)
      #expect(budget.count == 20_000)
      let (less, more) = (share.hold(15_000), share.hold(15_001))
      #expect(less)
      #expect(!more)
    }
    #expect(budget.count == 0)
  }

  @Test("each part of a budget may take as much as it leaves to all others, so none takes what the last one needs")
  func parts() {
    let whole = MemoryBudget(limit: 1 << 20)
    let parts = (0..<4).map { _ in MemoryBudget(partOf: whole) }
    for part in parts { while part.hasRoom(for: 4_096) { part.take(4_096) } }
    // A half, a quarter, an eighth, a sixteenth; the last piece of each may be half beyond that.
    for (part, share) in zip(parts, [1 << 19, 1 << 18, 1 << 17, 1 << 16]) { #expect(abs(part.count - share) <= 4_096) }
    #expect(whole.count == parts.reduce(0) { $0 + $1.count })
    #expect(whole.hasRoom(for: 60_000))
    parts[1].give(parts[1].count)
    #expect(parts[1].hasRoom(for: 1 << 18))
    #expect(!parts[0].hasRoom(for: 200_000))
    #expect(!parts[0].fits(200_000))
    #expect(parts[0].hasRoom(for: 4_095))
    // A whole that is free is free for one piece.
    let free = MemoryBudget(partOf: MemoryBudget(limit: 1 << 20))
    #expect(free.hasRoom(for: 1 << 20))
    #expect(!free.hasRoom(for: (1 << 20) + 1))
  }

  @Test("the cap holds when several threads ask at once")
  func threads() async {
    let cap = SharedLimit(limit: 10)
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<2_000 where cap.enter() {
            #expect(cap.count <= 14)
            cap.leave()
          }
        }
      }
    }
    #expect(cap.count == 0)
  }
}
