import CLinux

/// What runs at the end of each turn, after all sources: a daemon that flushes the answers of the turn at once.
public protocol EndOfTurn: AnyObject {
  /// Does the work that has gathered. Returns when it wants to be called again at the latest, or nil.
  func endTurn() -> Instant?
}

/// The part of a reactor that lives on its thread: descriptors, timers and the order of a turn.
///
/// A turn: jobs from elsewhere, timers that are due, sources that fired or were scheduled, the ends of the turn, and
/// last, before sleeping, each scheduled source is asked whether it is still ready. The order is what libzmq's
/// edge-triggered descriptor and libmicrohttpd's deferred resumes need (`zmq_getsockopt(3)`, ZMQ_FD).
public final class Loop {
  private static let timersPerTurn = 1_024

  private struct Place {
    weak var watch: Watch?
  }

  /// The time of this turn, read when the loop woke up.
  public var now: Instant { time }
  /// The reactor that runs the loop; nil when it is gone.
  public internal(set) weak var reactor: Reactor?
  /// The reactor was stopped: nothing can be watched any more, and no timer fires.
  @exclusivity(unchecked) public private(set) var isStopped = false
  /// How often the loop has turned: whether two calls come in one turn.
  package private(set) var turns: UInt64 = 0
  private var time: Instant
  private let clock: @Sendable () -> Instant
  private let poller: Poller
  // No access to it lasts while other code runs, so a check at run time finds nothing.
  @exclusivity(unchecked) private var timers = Timers()
  private var isFiring = false
  private var places: [UInt64: Place] = [:]
  private var lastToken: UInt64 = 0
  private var scheduled: [Watch] = []
  private var turning: [Watch] = []
  private var ends: [any EndOfTurn] = []

  /// A loop that its reactor turns, or the caller by hand with `turnOnce`.
  package init(clock: @escaping @Sendable () -> Instant) throws(ReactorError) {
    self.clock = clock
    time = clock()
    poller = try Poller()
  }

  /// Gives a source its place, to be woken by a descriptor or only by `Watch.schedule()`. The caller keeps the watch for as
  /// long as the source shall have turns; the loop keeps neither of them. Throws when the descriptor cannot be watched, or
  /// the reactor was stopped.
  public func watch(
    _ descriptor: CInt? = nil, for events: PollEvents = .readable, _ source: any Source
  ) throws(ReactorError) -> Watch {
    guard !isStopped else { throw ReactorError(errno: ESHUTDOWN, call: "Loop.watch on a stopped reactor") }
    lastToken += 1
    if let descriptor { try poller.add(descriptor, events, token: lastToken) }
    let watch = Watch(descriptor: descriptor, token: lastToken, loop: self, source: source)
    if descriptor != nil { places[lastToken] = Place(watch: watch) }
    return watch
  }

  /// Fires the timer once, at the deadline or up to a millisecond later, and later where those of earlier deadlines are too many for a
  /// turn. The handler is told the tag, and kept until then. One that a timer schedules while it fires waits for a later turn,
  /// behind all that are due. On a stopped reactor no timer could fire: that is a programming error and traps.
  public func schedule(at deadline: Instant, _ handler: any TimerHandler, tag: UInt32 = 0) -> Timer {
    precondition(!isStopped, "a timer for a reactor that was stopped would never fire: stop the reactor last")
    // Else one that goes on without a pause would be before those that have waited for longer.
    return timers.schedule(isFiring ? max(deadline, now + .nanoseconds(1)) : deadline, handler, tag: tag)
  }

  /// Forgets a timer. Cancelling one that has fired does nothing.
  public func cancel(_ timer: Timer) { timers.cancel(timer) }

  /// Adds a step to the end of each turn, after those that are there.
  public func append(_ end: any EndOfTurn) { ends.append(end) }

  /// Adds a step to the end of each turn, before those that are there: what they look at has happened by then.
  public func prepend(_ end: any EndOfTurn) { ends.insert(end, at: 0) }

  /// Removes a step.
  public func remove(_ end: any EndOfTurn) { ends.removeAll { $0 === end } }

  /// Runs the work on the loop's thread: now if the caller is there, else in the next turn. For the `deinit` of what lives on
  /// the loop: the last reference may be dropped on any thread.
  public func run(_ work: @escaping @Sendable () -> Void) {
    guard let reactor, !reactor.isCurrent else { return work() }
    reactor.submit(work)
  }

  func enqueue(_ watch: Watch) { scheduled.append(watch) }

  func change(_ descriptor: CInt, to events: PollEvents, token: UInt64) {
    poller.change(descriptor, events, token: token)
  }

  /// Takes a descriptor out. Any thread may call it, before the descriptor is closed.
  func remove(_ descriptor: CInt, token: UInt64) {
    poller.remove(descriptor)
    // Safe: the loop's own thread uses it. Until then the place is empty, as its watch is gone.
    nonisolated(unsafe) let loop = self
    run { loop.places[token] = nil }
  }

  /// Lets everything go that the loop keeps. No turn follows.
  func end() {
    isStopped = true
    let kept = (timers, ends, scheduled)
    (timers, ends, scheduled) = (Timers(), [], [])
    withExtendedLifetime(kept) {}
  }

  /// Reads the clock. Called after each sleep, before anything that runs.
  func wakeUp() { time = clock() }

  /// Everything a turn does before it sleeps. Returns how long it may sleep, in milliseconds; -1 for ever.
  func turn() -> CInt {
    turns += 1
    isFiring = true
    for _ in 0..<Self.timersPerTurn {
      guard let (timer, handler) = timers.popDue(now) else { break }
      handler.fired(timer)
    }
    isFiring = false
    swap(&turning, &scheduled)
    for watch in turning {
      watch.isScheduled = false
      let fired = watch.fired
      watch.fired = []
      guard let source = watch.source else {
        watch.cancel()
        continue
      }
      source.turn(fired)
      // Its turn may have used up an edge: it is asked again before the loop sleeps.
      watch.schedule()
    }
    turning.removeAll(keepingCapacity: true)
    var next = timers.next ?? Instant(nanoseconds: .max)
    for end in ends {
      if let due = end.endTurn() { next = min(next, due) }
    }
    if let due = timers.next { next = min(next, due) }
    if stillReady() { return 0 }
    guard next.nanoseconds < .max else { return -1 }
    // The turn took time as well. Round up: waking early would only mean waking twice.
    let left = next.nanoseconds - clock().nanoseconds
    return left <= 0 ? 0 : CInt(clamping: (left + 999_999) / 1_000_000)
  }

  /// Sleeps until something is ready, at most that long, and turns once: for a thread that needs a loop for a moment only.
  package func turnOnce(sleepingAtMost milliseconds: CInt) {
    sleep(milliseconds: milliseconds)
    wakeUp()
    _ = turn()
  }

  /// Drops those scheduled sources that have nothing left to do; true when any has.
  private func stillReady() -> Bool {
    guard !scheduled.isEmpty else { return false }
    // One that is asked may schedule another.
    swap(&turning, &scheduled)
    for watch in turning {
      if let source = watch.source, !watch.fired.isEmpty || source.isReady() {
        scheduled.append(watch)
      } else {
        watch.isScheduled = false
      }
    }
    turning.removeAll(keepingCapacity: true)
    return !scheduled.isEmpty
  }

  func sleep(milliseconds: CInt) {
    poller.wait(milliseconds: milliseconds) { token, events in
      guard let watch = places[token]?.watch else { return }
      watch.fired.formUnion(events)
      watch.schedule()
    }
  }
}

/// One epoll descriptor. A value with one owner; closes itself.
private struct Poller: ~Copyable {
  private static let capacity = 256
  private let descriptor: CInt
  private let ready: UnsafeMutablePointer<epoll_event>

  init() throws(ReactorError) {
    descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw .last("epoll_create1") }
    ready = .allocate(capacity: Self.capacity)
  }

  deinit {
    close(descriptor)
    ready.deallocate()
  }

  func add(_ watched: CInt, _ events: PollEvents, token: UInt64) throws(ReactorError) {
    var event = epoll_event(events: events.rawValue, data: epoll_data_t(u64: token))
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0 else { throw .last("epoll_ctl") }
  }

  /// Cannot fail for a descriptor that was added, and is open.
  func change(_ watched: CInt, _ events: PollEvents, token: UInt64) {
    var event = epoll_event(events: events.rawValue, data: epoll_data_t(u64: token))
    _ = epoll_ctl(descriptor, EPOLL_CTL_MOD, watched, &event)
  }

  /// The descriptor may be closed already, which has removed it: that is no error.
  func remove(_ watched: CInt) {
    var event = epoll_event()
    _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, &event)
  }

  /// Waits at most that many milliseconds (-1: for ever) and hands each ready token to the body.
  func wait(milliseconds: CInt, _ body: (UInt64, PollEvents) -> Void) {
    let count = epoll_wait(descriptor, ready, CInt(Self.capacity), milliseconds)
    // Less than zero is EINTR: the turn goes on, and the next wait sees what is left.
    for index in 0..<max(0, Int(count)) {
      let event = ready[index]
      body(event.data.u64, PollEvents(rawValue: event.events))
    }
  }
}
