import Reactor
import Testing

@testable import ZeroMQRPC

@Suite("how long methods take")
struct MethodLatenciesTests {
  private var latencies = MethodLatencies()
  private var now = Instant(nanoseconds: 0)

  /// A call of the method, a millisecond after the last one.
  private mutating func call(_ method: String, takes milliseconds: Int) {
    now = now + .milliseconds(1)
    let measurement = began(method)
    latencies.ended(measurement, after: .milliseconds(milliseconds))
  }

  private mutating func began(_ method: String) -> UInt32 {
    Array(method.utf8).withUnsafeBytes { latencies.began($0, at: now) }
  }

  private func percentile95(_ method: String) -> Duration? {
    Array(method.utf8).withUnsafeBytes { latencies.percentile95(of: $0) }
  }

  @Test("few replies say nothing; of 20 the slowest is not counted, and of 64 the three slowest")
  mutating func percentile() {
    for number in 1...7 { call("m", takes: number) }
    #expect(percentile95("m") == nil)
    call("m", takes: 8)
    #expect(percentile95("m") == .milliseconds(8))
    for number in 9...20 { call("m", takes: number) }
    #expect(percentile95("m") == .milliseconds(19))
    for number in 21...64 { call("m", takes: number) }
    #expect(percentile95("m") == .milliseconds(61))
    #expect(percentile95("other") == nil)
  }

  @Test("the latest 64 replies count")
  mutating func latest() {
    for _ in 0..<64 { call("m", takes: 1_000) }
    for _ in 0..<60 { call("m", takes: 1) }
    #expect(percentile95("m") == .milliseconds(1_000))
    call("m", takes: 1)
    #expect(percentile95("m") == .milliseconds(1))
  }

  @Test("at most one call in a millisecond is measured")
  mutating func rate() {
    now = now + .milliseconds(1)
    #expect(began("m") != 0)
    #expect(began("m") == 0)
    now = now + .nanoseconds(999_999)
    #expect(began("m") == 0)
    now = now + .nanoseconds(1)
    #expect(began("m") != 0)
  }

  @Test("of more than 64 methods the one called the longest ago is forgotten, and its replies count for no other")
  mutating func methods() {
    now = now + .milliseconds(1)
    let early = began("0")
    for method in 0..<64 {
      for _ in 0..<8 { call("\(method)", takes: method) }
    }
    for method in 0..<64 { #expect(percentile95("\(method)") == .milliseconds(method)) }
    call("0", takes: 0)
    call("new", takes: 5)
    #expect(percentile95("0") != nil)
    #expect(percentile95("1") == nil)
    for _ in 0..<7 { call("new", takes: 5) }
    for method in 2..<66 { call("\(method)", takes: 1) }
    #expect(percentile95("0") == nil)
    latencies.ended(early, after: .seconds(9))
    for method in 2..<64 { #expect(percentile95("\(method)") != .seconds(9)) }
  }
}

@Suite("replies that come late")
struct LateRepliesTests {
  private let start = Instant(nanoseconds: 5)

  @Test("of one that is remembered the time is known, once; of another it is not")
  func times() {
    var late = LateReplies()
    #expect(late.came(7, at: start) == nil)
    late.expect(7, sent: start, 64)
    #expect(late.came(7 + 256, at: start) == nil)
    let known = late.came(7, at: start + .seconds(3))
    #expect(known?.latency == .seconds(3))
    #expect(known?.measurement == 64)
    #expect(late.came(7, at: start + .seconds(4)) == nil)
    late.expect(8, sent: start, 0)
    #expect(late.came(8, at: start + .seconds(1))?.latency == .seconds(1))
    #expect(late.count == 5)
    #expect(late.timed == 2)
    #expect(late.total == .seconds(4))
    #expect(late.longest == .seconds(3))
    let twice = late + late
    #expect(twice.count == 10 && twice.timed == 4 && twice.total == .seconds(8) && twice.longest == .seconds(3))
  }

  @Test("the latest 256 calls are remembered")
  func bounded() {
    var late = LateReplies()
    for number in UInt32(1)...257 { late.expect(number, sent: start, 0) }
    #expect(late.came(1, at: start) == nil)
    #expect(late.came(2, at: start) != nil)
    #expect(late.came(257, at: start) != nil)
  }
}
