import Reactor
import Support
import Testing

@testable import ZeroMQRPC

@Suite("a breaker", .inTurn(minutes: 3)) struct BreakerTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  /// A breaker that may be changed within an expectation.
  private final class Held {
    private(set) var breaker: Breaker

    init(failures: Int?) {
      var options = BreakerOptions()
      (options.failures, options.open) = (failures, .seconds(10))
      breaker = Breaker(options)
    }

    var isUnharmed: Bool { breaker.isUnharmed }
    var openUntil: Instant? { breaker.openUntil }
    func allowsCall(underWay calls: Int) -> Bool { breaker.allowsCall(underWay: calls) }
    func failed(sent: Instant, at now: Instant) -> Bool { breaker.failed(sent: sent, at: now) }
    func replied() -> Bool { breaker.replied() }
    func elapsed(at now: Instant) -> Bool { breaker.elapsed(at: now) }
  }

  private func at(_ seconds: Int) -> Instant { start + .seconds(seconds) }

  @Test("opens with the last of the failures in a row, and not before", arguments: [1, 2, 3, 10]) func opens(
    failures: Int
  ) {
    let breaker = Held(failures: failures)
    for second in 1..<failures {
      #expect(!breaker.failed(sent: at(second), at: at(second + 1)))
      #expect(breaker.allowsCall(underWay: 100))
      #expect(!breaker.isUnharmed)
    }
    #expect(breaker.failed(sent: at(failures), at: at(failures + 1)))
    #expect(!breaker.allowsCall(underWay: 0))
    #expect(breaker.openUntil == at(failures + 11))
  }

  @Test("counts calls that were under way together once") func together() {
    let breaker = Held(failures: 3)
    for _ in 0..<100 { #expect(!breaker.failed(sent: at(0), at: at(5))) }
    #expect(!breaker.failed(sent: at(4), at: at(9)))
    #expect(breaker.allowsCall(underWay: 0))
    // Sent when the first had failed.
    #expect(!breaker.failed(sent: at(5), at: at(10)))
    #expect(breaker.failed(sent: at(10), at: at(15)))
  }

  @Test("counts anew after a reply") func reply() {
    let breaker = Held(failures: 2)
    #expect(!breaker.failed(sent: at(0), at: at(1)))
    #expect(!breaker.replied())
    #expect(breaker.isUnharmed)
    #expect(!breaker.failed(sent: at(1), at: at(2)))
    #expect(breaker.failed(sent: at(2), at: at(3)))
  }

  @Test("lets one call at a time try when its time has passed; a reply closes it") func closes() {
    let breaker = Held(failures: 1)
    #expect(breaker.failed(sent: at(0), at: at(1)))
    #expect(!breaker.elapsed(at: at(11) + .nanoseconds(-1)))
    #expect(!breaker.allowsCall(underWay: 0))
    #expect(breaker.elapsed(at: at(11)))
    #expect(breaker.openUntil == nil)
    #expect(breaker.allowsCall(underWay: 0))
    #expect(!breaker.allowsCall(underWay: 1))
    #expect(!breaker.elapsed(at: at(12)))
    #expect(breaker.replied())
    #expect(breaker.allowsCall(underWay: 1))
    #expect(!breaker.replied())
  }

  @Test("opens again with one failure of the call that tries, and not with one of an older call") func opensAgain() {
    let breaker = Held(failures: 3)
    for second in 0..<3 { _ = breaker.failed(sent: at(second), at: at(second + 1)) }
    #expect(breaker.elapsed(at: at(13)))
    #expect(!breaker.failed(sent: at(2), at: at(14)))
    #expect(breaker.allowsCall(underWay: 0))
    #expect(breaker.failed(sent: at(14), at: at(15)))
    #expect(breaker.openUntil == at(25))
  }

  @Test("closes with a late reply while it is open; what fails then changes nothing") func lateReply() {
    let breaker = Held(failures: 1)
    #expect(breaker.failed(sent: at(0), at: at(1)))
    #expect(!breaker.failed(sent: at(1), at: at(9)))
    #expect(breaker.openUntil == at(11))
    #expect(breaker.replied())
    #expect(breaker.isUnharmed)
  }

  @Test("never opens when it is told so") func never() {
    let breaker = Held(failures: nil)
    for second in 0..<1_000 { #expect(!breaker.failed(sent: at(second), at: at(second + 1))) }
    #expect(breaker.isUnharmed)
  }
}
