import Reactor
import Testing

@Suite("a limit that shards share", .timeLimit(.minutes(1)))
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
