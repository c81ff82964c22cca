import CLinux
import Support
import Testing

@testable import Reactor

/// A timer that schedules itself again, for a time that is past.
private final class Endless: TimerHandler {
  let loop: Loop
  let fired: Tally
  init(_ loop: Loop, _ fired: Tally) { (self.loop, self.fired) = (loop, fired) }
  func fired(_ timer: Timer) {
    fired.countUp()
    _ = loop.schedule(at: loop.now + .seconds(-10), self)
  }
}

/// An end of the turn that takes time.
private final class SlowEnd: EndOfTurn {
  let clock: ManualClock
  let time: Duration
  init(_ clock: ManualClock, _ time: Duration) { (self.clock, self.time) = (clock, time) }
  func endTurn() -> Instant? {
    clock.advance(by: time)
    return nil
  }
}

@Suite("The turns of a loop", .inTurn(minutes: 3))
struct TurnTests {
  @Test("a turn that takes long does not delay the next timer") func longTurn() throws {
    let clock = ManualClock()
    let loop = try Loop(clock: clock.read)
    loop.append(SlowEnd(clock, .milliseconds(50)))
    _ = loop.schedule(at: loop.now + .milliseconds(60), Alarm(Tally()))
    #expect(loop.turn() == 10)
    #expect(loop.turn() == 0)
  }

  @Test("timers that go on without a pause do not hold up one that is due after them, nor the sources")
  func endlessTimers() throws {
    let clock = ManualClock()
    let loop = try Loop(clock: clock.read)
    // Else the loop and what waits in it keep each other for ever.
    defer { loop.end() }
    let (endless, fired, turned) = (Tally(), Tally(), Tally())
    // Each schedules itself again for a time that is past.
    for _ in 0..<100 { _ = loop.schedule(at: loop.now, Endless(loop, endless)) }
    let busy = Busy(.max, turned)
    let watch = try loop.watch(nil, busy)
    clock.advance(by: .seconds(1))
    loop.wakeUp()
    _ = loop.schedule(at: loop.now, Alarm(fired))
    watch.schedule()
    #expect(loop.turn() == 0)
    #expect(fired.count == 1)
    #expect(turned.count == 1)
    #expect(endless.count == 100)
    for turn in 2...50 {
      clock.advance(by: .milliseconds(1))
      loop.wakeUp()
      #expect(loop.turn() == 0)
      #expect(endless.count == 100 * turn)
    }
  }

  @Test("of a flood of timers as many fire in a turn as may, the earliest first; the sources have turns between them")
  func flood() throws {
    let clock = ManualClock()
    let loop = try Loop(clock: clock.read)
    // As above.
    defer { loop.end() }
    let (early, late, turned) = (Tally(), Tally(), Tally())
    for count in 0..<3_000 { _ = loop.schedule(at: loop.now + .microseconds(count), Alarm(early)) }
    let busy = Busy(.max, turned)
    let watch = try loop.watch(nil, busy)
    _ = loop.schedule(at: loop.now + .milliseconds(4), Alarm(late))
    clock.advance(by: .milliseconds(5))
    loop.wakeUp()
    watch.schedule()
    for (turn, fired) in [1_024, 2_048, 3_000].enumerated() {
      #expect(late.count == 0)
      #expect(loop.turn() == 0)
      #expect(early.count == fired)
      #expect(turned.count == turn + 1)
    }
    #expect(late.count == 1)
  }
}
