import GatewaySecurity
import Reactor
import Support
import Testing

@Suite("A token bucket", .inTurn(minutes: 3))
struct TokenBucketTests {
  private let limit = RateLimit(10, each: .seconds(1), burst: 5)
  private static func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 1_000_000 * milliseconds) }

  @Test("gives as many as it holds at once, then one each tenth of a second, and no more")
  func rate() {
    let bucket = TokenBucket()
    for left in [4, 3, 2, 1, 0] {
      let level = bucket.take(1, at: Self.at(1_000), limit)
      #expect(level.isGranted && level.remaining == left)
    }
    let empty = bucket.take(1, at: Self.at(1_000), limit)
    #expect(!empty.isGranted && empty.remaining == 0 && empty.wait == 1 && empty.reset == 1)
    #expect(!bucket.take(1, at: Self.at(1_099), limit).isGranted)
    #expect(bucket.take(1, at: Self.at(1_100), limit).isGranted)
    #expect(!bucket.take(1, at: Self.at(1_199), limit).isGranted)
    // A refusal takes nothing, and looking takes nothing.
    #expect(bucket.take(0, at: Self.at(1_500), limit).remaining == 4)
    #expect(bucket.take(0, at: Self.at(1_500), limit).remaining == 4)
    #expect(bucket.take(0, at: Self.at(9_000), limit).remaining == 5)
    #expect(bucket.isFull(at: Self.at(9_000)))
  }

  @Test("gives all of a cost or nothing, up to all that it holds and no more")
  func cost() {
    let bucket = TokenBucket()
    #expect(!bucket.take(6, at: Self.at(1_000), limit).isGranted)
    #expect(bucket.take(5, at: Self.at(1_000), limit).isGranted)
    let level = bucket.take(3, at: Self.at(1_100), limit)
    #expect(!level.isGranted && level.remaining == 1)
    #expect(bucket.take(3, at: Self.at(1_300), limit).isGranted)
  }

  @Test("does not go back with a clock that does")
  func clock() {
    let bucket = TokenBucket()
    for _ in 0..<5 { #expect(bucket.take(1, at: Self.at(1_000), limit).isGranted) }
    #expect(!bucket.take(1, at: Self.at(500), limit).isGranted)
    #expect(bucket.take(1, at: Self.at(1_100), limit).isGranted)
  }

  @Test("never gives more than comes in, whatever does not divide evenly")
  func rounding() {
    let limit = RateLimit(3, each: .seconds(1), burst: 3)
    let bucket = TokenBucket()
    var given = 0
    for millisecond in 0...10_000 where bucket.take(1, at: Self.at(Int64(millisecond)), limit).isGranted { given += 1 }
    #expect(given == 3 + 29)
    #expect(RateLimit(100, each: .seconds(1), burst: 200).window == 2)
    #expect(RateLimit(1, each: .hours(1), burst: 1).window == 3_600)
  }

  @Test("is exact for threads that take at once")
  func threads() async {
    let limit = RateLimit(1, each: .hours(1), burst: 10_000)
    let bucket = TokenBucket()
    let given = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          (0..<5_000).count { _ in bucket.take(1, at: Instant(nanoseconds: 1), limit).isGranted }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(given == 10_000)
  }

  @Test("of a client is found again, and is forgotten only when that makes no difference")
  func quotas() {
    let quotas = ClientQuotas(limit: 2)
    let limit = RateLimit(1, each: .seconds(1), burst: 1)
    let known = quotas.quota(ofKnown: Client(.subject, "alice"))
    #expect(quotas.quota(ofKnown: Client(.subject, "alice")) === known)
    #expect(quotas.quota(of: Client(.subject, "alice"), at: Self.at(0)) === known)
    #expect(quotas.count == 0)
    var first: ClientQuota? = quotas.quota(of: Client(.address, "a"), at: Self.at(0))
    #expect(quotas.quota(of: Client(.address, "a"), at: Self.at(0)) === first)
    _ = first?.bucket.take(1, at: Self.at(0), limit)
    _ = quotas.quota(of: Client(.address, "b"), at: Self.at(0)).bucket.take(1, at: Self.at(0), limit)
    // Neither is full again.
    let crowd = quotas.quota(of: Client(.address, "c"), at: Self.at(500))
    #expect(crowd.client == nil && quotas.quota(of: Client(.address, "d"), at: Self.at(500)) === crowd)
    #expect(quotas.crowded == 2 && quotas.count == 2)
    // Both are, and somebody holds the first one.
    #expect(quotas.quota(of: Client(.address, "c"), at: Self.at(1_500)).client?.name == "c")
    #expect(quotas.quota(of: Client(.address, "a"), at: Self.at(1_500)) === first)
    #expect(first?.bucket.take(1, at: Self.at(1_500), limit).isGranted == true)
    first = nil
    // One that has a stream open is not forgotten either.
    let streaming = quotas.quota(of: Client(.address, "c"), at: Self.at(3_000)).openStream(below: 1)
    #expect(streaming)
    #expect(quotas.quota(of: Client(.address, "e"), at: Self.at(3_000)).client?.name == "e")
    #expect(quotas.quota(of: Client(.address, "f"), at: Self.at(3_000)).client?.name == "f")
    #expect(!quotas.quota(of: Client(.address, "c"), at: Self.at(3_000)).openStream(below: 1))
  }
}
