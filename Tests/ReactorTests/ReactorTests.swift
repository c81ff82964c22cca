import CLinux
import Support
import Testing

@testable import Reactor

/// Lives on a reactor, as a shard does.
private actor Resident {
  nonisolated let reactor: Reactor
  nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  private var watch: Watch?
  private var kept: [AnyObject] = []

  init(_ reactor: Reactor) { self.reactor = reactor }

  func isHome() -> Bool { reactor.isCurrent }
  func timer(in delay: Duration, _ fired: Tally) -> Timer {
    reactor.loop.schedule(at: reactor.loop.now + delay, Alarm(fired))
  }
  func cancel(_ timer: Timer) { reactor.loop.cancel(timer) }
  func watch(_ descriptor: CInt, _ turned: Tally) throws {
    let reader = Reader(descriptor, turned)
    watch = try reactor.loop.watch(descriptor, reader)
    kept.append(reader)
  }
  func stopWatching() { watch?.cancel() }
  func stop() async { await reactor.stop() }

  /// Watches for a source that is dropped at once; the watch is dropped too, or kept.
  func watchForNobody(_ descriptor: CInt, drops: Bool) throws {
    let left = try reactor.loop.watch(descriptor, Reader(descriptor, Tally()))
    watch = drops ? nil : left
  }

  /// Whether the loop sleeps: few turns pass in a while.
  func rests() async -> Bool {
    let (before, fired) = (reactor.loop.turns, Tally())
    _ = timer(in: .milliseconds(50), fired)
    await fired.reaches(1)
    return reactor.loop.turns - before < 10
  }

  func schedule(_ source: @Sendable () -> any Source) throws {
    let source = source()
    let watch = try reactor.loop.watch(nil, source)
    watch.schedule()
    kept += [watch, source]
  }
  func add(_ end: @Sendable () -> any EndOfTurn) { reactor.loop.append(end()) }
}

final class Alarm: TimerHandler {
  let fired: Tally
  init(_ fired: Tally) { self.fired = fired }
  func fired(_ timer: Timer) { fired.countUp() }
}

private final class Reader: Source {
  let descriptor: CInt
  let turned: Tally
  init(_ descriptor: CInt, _ turned: Tally) { (self.descriptor, self.turned) = (descriptor, turned) }
  func turn(_ events: PollEvents) {
    var byte: UInt8 = 0
    if events.contains(.readable), read(descriptor, &byte, 1) == 1 { turned.countUp() }
  }
}

/// Has work for that many turns, of which no descriptor tells.
final class Busy: Source {
  var left: Int
  let turned: Tally
  var watch: Watch?
  init(_ turns: Int, _ turned: Tally) { (left, self.turned) = (turns, turned) }
  func turn(_ events: PollEvents) {
    left -= 1
    turned.countUp()
  }
  func isReady() -> Bool { left > 0 }
}

private final class End: EndOfTurn {
  let passed: Tally
  init(_ passed: Tally) { self.passed = passed }
  func endTurn() -> Instant? {
    passed.countUp()
    return nil
  }
}

@Suite("Reactor", .inTurn(minutes: 3)) struct ReactorTests {
  @Test("is the executor of its actors") func executor() async throws {
    let reactor = try Reactor()
    let resident = Resident(reactor)
    #expect(await resident.isHome())
    #expect(!reactor.isCurrent)
    await reactor.stop()
  }

  @Test("fires a timer once the clock has reached it, and not before") func timer() async throws {
    let clock = ManualClock()
    let reactor = try Reactor(clock: clock.read)
    let resident = Resident(reactor)
    let (early, late) = (Tally(), Tally())
    _ = await resident.timer(in: .seconds(5), early)
    _ = await resident.timer(in: .seconds(6), late)
    clock.advance(by: .seconds(5))
    reactor.wake()
    await early.reaches(1)
    #expect(late.count == 0)
    clock.advance(by: .seconds(1))
    reactor.wake()
    await late.reaches(1)
    #expect(early.count == 1)
    await reactor.stop()
  }

  @Test("a cancelled timer does not fire") func cancel() async throws {
    let clock = ManualClock()
    let reactor = try Reactor(clock: clock.read)
    let resident = Resident(reactor)
    let (cancelled, other) = (Tally(), Tally())
    let timer = await resident.timer(in: .seconds(1), cancelled)
    _ = await resident.timer(in: .seconds(2), other)
    await resident.cancel(timer)
    clock.advance(by: .seconds(3))
    reactor.wake()
    await other.reaches(1)
    #expect(cancelled.count == 0)
    await reactor.stop()
  }

  @Test("fires by itself on the real clock") func realClock() async throws {
    let reactor = try Reactor()
    let fired = Tally()
    _ = await Resident(reactor).timer(in: .milliseconds(5), fired)
    await fired.reaches(1)
    await reactor.stop()
  }

  @Test("gives a source a turn for each event of its descriptor, until the watch is cancelled")
  func descriptor() async throws {
    let reactor = try Reactor()
    let resident = Resident(reactor)
    var ends: [CInt] = [0, 0]
    #expect(pipe(&ends) == 0)
    let turned = Tally()
    try await resident.watch(ends[0], turned)
    for count in 1...3 {
      #expect(write(ends[1], "x", 1) == 1)
      await turned.reaches(count)
    }
    await resident.stopWatching()
    #expect(write(ends[1], "x", 1) == 1)
    #expect(await resident.isHome(), "a turn later nobody has read")
    #expect(turned.count == 3)
    await reactor.stop()
    close(ends[0])
    close(ends[1])
  }

  @Test("asks a scheduled source before it sleeps, and goes on while it is ready") func ready() async throws {
    let reactor = try Reactor()
    let turned = Tally()
    let resident = Resident(reactor)
    try await resident.schedule { Busy(1_000, turned) }
    await turned.reaches(1_000)
    #expect(await resident.isHome())
    await reactor.stop()
    #expect(turned.count == 1_000)
  }

  @Test("runs the ends of the turn in every turn") func ends() async throws {
    let reactor = try Reactor()
    let passed = Tally()
    let resident = Resident(reactor)
    await resident.add { End(passed) }
    let before = passed.count
    #expect(await resident.isHome())
    await passed.reaches(before + 1)
    await reactor.stop()
  }

  @Test("stop runs what is queued, and a second one does nothing") func stop() async throws {
    let reactor = try Reactor()
    let resident = Resident(reactor)
    let done = Tally()
    let tasks = (0..<100).map { _ in
      Task {
        _ = await resident.isHome()
        done.countUp()
      }
    }
    for task in tasks { await task.value }
    await reactor.stop()
    await reactor.stop()
    #expect(done.count == 100)
  }

  @Test("a job that runs after an idle stretch gets the whole time it asks for") func freshClock() async throws {
    let clock = ManualClock()
    let reactor = try Reactor(clock: clock.read)
    let resident = Resident(reactor)
    let (early, late) = (Tally(), Tally())
    #expect(await resident.isHome())
    // Asleep: nobody wakes it for the new time.
    clock.advance(by: .seconds(60))
    _ = await resident.timer(in: .seconds(5), late)
    clock.advance(by: .seconds(4))
    _ = await resident.timer(in: .zero, early)
    await early.reaches(1)
    #expect(late.count == 0, "only four of five seconds have passed")
    clock.advance(by: .seconds(1))
    reactor.wake()
    await late.reaches(1)
    await reactor.stop()
  }

  @Test("a watch that is dropped is left, and one whose source is gone rests") func dropped() async throws {
    let reactor = try Reactor()
    let resident = Resident(reactor)
    var ends: [CInt] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(write(ends[1], "x", 1) == 1)
    try await resident.watchForNobody(ends[0], drops: true)
    #expect(await resident.rests())
    try await resident.watchForNobody(ends[0], drops: false)
    #expect(await resident.rests())
    await resident.stopWatching()
    await reactor.stop()
    close(ends[0])
    close(ends[1])
  }

  @Test("after its end, jobs and work run where they are brought, and nothing can be watched") func afterEnd()
    async throws
  {
    let reactor = try Reactor()
    let resident = Resident(reactor)
    await reactor.stop()
    #expect(await resident.isHome())
    let done = Tally()
    reactor.submit { done.countUp() }
    // Here, or on the thread that has just run the actor's job and still looks for more.
    await done.reaches(1)
    await withTaskGroup { group in
      for _ in 0..<100 { group.addTask { _ = await resident.isHome() } }
    }
    let error = await #expect(throws: ReactorError.self) { try await resident.watch(0, done) }
    #expect(error?.errno == ESHUTDOWN)
    await reactor.stop()
  }

  @Test("a timer for a reactor that was stopped is an error that ends the process") func timerAfterEnd() async {
    await #expect(processExitsWith: .failure) {
      let reactor = try Reactor()
      let resident = Resident(reactor)
      await reactor.stop()
      _ = await resident.timer(in: .zero, Tally())
    }
  }

  @Test("stop may be asked for by an actor that lives on the reactor") func stopFromWithin() async throws {
    let resident = Resident(try Reactor())
    await resident.stop()
    #expect(await resident.isHome())
  }

  @Test("the shared reactor is one, and runs") func sharedOne() async {
    #expect(await Resident(.shared).isHome())
    #expect(Reactor.shared === Reactor.shared)
  }

  @Test("a duration beyond the clock saturates") func saturation() {
    #expect((Instant(nanoseconds: .max - 1) + .seconds(5)).nanoseconds == .max)
    #expect(Duration.seconds(Int64.max).nanoseconds == .max)
    #expect(Duration.seconds(Int64.min).nanoseconds == .min)
    #expect(Duration.milliseconds(1_500).nanoseconds == 1_500_000_000)
  }
}
