import Support
import Testing

@testable import Reactor

private final class Silent: TimerHandler {
  func fired(_ timer: Timer) {}
}

@Suite("Timers") struct TimersTests {
  private func instant(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: nanoseconds) }

  @Test("come due in the order of their deadlines, whatever the order of scheduling", arguments: [1, 2, 3, 64, 1_000])
  func order(count: Int) {
    var timers = Timers()
    let handler = Silent()
    var generator = SystemRandomNumberGenerator()
    let deadlines = (0..<count).map { _ in Int64.random(in: 0..<500, using: &generator) }
    var names: [Timer: Int64] = [:]
    for deadline in deadlines { names[timers.schedule(instant(deadline), handler)] = deadline }
    var fired: [Int64] = []
    while let (timer, _) = timers.popDue(instant(1_000)) { fired.append(names[timer] ?? -1) }
    #expect(fired == deadlines.sorted())
    #expect(timers.next == nil)
  }

  @Test("are due at their deadline, not a nanosecond before")
  func boundary() {
    var timers = Timers()
    _ = timers.schedule(instant(10), Silent())
    let before = timers.popDue(instant(9))
    #expect(before == nil)
    let at = timers.popDue(instant(10))
    #expect(at != nil)
  }

  @Test("cancelled ones never fire, and a stale name cancels nothing")
  func cancel() {
    var timers = Timers()
    let handler = Silent()
    let all = (0..<100).map { timers.schedule(instant(Int64($0)), handler) }
    for timer in all where timer.slot % 2 == 0 {
      let cancelled = timers.cancel(timer)
      #expect(cancelled)
    }
    #expect(timers.count == 50)
    let again = timers.cancel(all[0])
    #expect(!again)
    let reused = timers.schedule(instant(5), handler)
    let stale = timers.cancel(all[Int(reused.slot)])
    #expect(!stale, "the slot is used again under another generation")
    #expect(timers.count == 51)
    var fired = 0
    while timers.popDue(instant(1_000)) != nil { fired += 1 }
    #expect(fired == 51)
  }

  @Test("a heap that is cancelled from at random stays in order")
  func heapOrder() {
    var timers = Timers()
    let handler = Silent()
    var generator = SystemRandomNumberGenerator()
    var live: [(Timer, Int64)] = []
    for _ in 0..<5_000 {
      if live.count > 10, Bool.random(using: &generator) {
        let (timer, _) = live.remove(at: Int.random(in: 0..<live.count, using: &generator))
        let cancelled = timers.cancel(timer)
        #expect(cancelled)
      } else {
        let deadline = Int64.random(in: 0..<1_000_000, using: &generator)
        live.append((timers.schedule(instant(deadline), handler), deadline))
      }
      #expect(timers.next?.nanoseconds == live.map(\.1).min())
    }
  }
}

@Suite("Durations", .inTurn(minutes: 3))
struct DurationTests {
  @Test(
    "become whole milliseconds, rounded as named",
    arguments: [
      (.zero, 0, 0), (.nanoseconds(1), 0, 1), (.nanoseconds(999_999), 0, 1), (.milliseconds(1), 1, 1),
      (.nanoseconds(1_000_001), 1, 2), (.seconds(2), 2_000, 2_000), (.nanoseconds(-1), 0, 0),
    ] as [(Duration, Int64, Int64)])
  func milliseconds(duration: Duration, down: Int64, up: Int64) {
    #expect(duration.millisecondsRoundedDown == down)
    #expect(duration.millisecondsRoundedUp == up)
  }

  @Test(
    "have whole nanoseconds, towards zero, on both sides of what 64 bits hold of attoseconds",
    arguments: [
      (.zero, 0), (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0), (.nanoseconds(1), 1),
      (Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999), -1), (.milliseconds(9_223), 9_223_000_000),
      (.milliseconds(9_224), 9_224_000_000), (.milliseconds(-9_223), -9_223_000_000),
      (.milliseconds(-9_224), -9_224_000_000), (.seconds(60), 60_000_000_000),
    ] as [(Duration, Int64)])
  func nanoseconds(duration: Duration, count: Int64) { #expect(duration.nanoseconds == count) }

  @Test("saturate")
  func saturation() {
    let long = Duration.seconds(Int64.max)
    #expect(long.nanoseconds == .max)
    #expect(long.millisecondsRoundedUp == .max / 1_000_000 + 1)
    #expect((Duration.zero - long).nanoseconds == .min)
  }
}
