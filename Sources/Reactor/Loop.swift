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

  /// The time of this turn, read once when it began.
  public private(set) var now: Instant
  private let clock: @Sendable () -> Instant
  private let poller: Poller
  private var timers = Timers()
  private var watches: [UInt64: Watch] = [:]
  private var lastToken: UInt64 = 0
  private var scheduled: [Watch] = []
  private var turning: [Watch] = []
  private var ends: [any EndOfTurn] = []

  init(clock: @escaping @Sendable () -> Instant) throws(ReactorError) {
    self.clock = clock
    now = clock()
    poller = try Poller()
  }

  /// Registers a source, to be woken by a descriptor or only by `Watch.schedule()`. The loop holds the source until
  /// the watch is cancelled.
  public func watch(
    _ descriptor: CInt? = nil, for events: PollEvents = .readable, _ source: any Source
  ) throws(ReactorError) -> Watch {
    lastToken += 1
    let watch = Watch(descriptor: descriptor, token: lastToken, loop: self, source: source)
    if let descriptor {
      try poller.add(descriptor, events, token: lastToken)
      watches[lastToken] = watch
    }
    return watch
  }

  /// Rings the handler once, at the deadline or up to a millisecond later. The handler is told the tag.
  public func schedule(at deadline: Instant, _ handler: any TimerHandler, tag: UInt32 = 0) -> Timer {
    timers.schedule(deadline, handler, tag: tag)
  }

  /// Forgets a timer. One that has rung or was cancelled before is no error.
  public func cancel(_ timer: Timer) { timers.cancel(timer) }

  /// Adds a step to the end of each turn. Steps run in the order in which they were added.
  public func append(_ end: any EndOfTurn) { ends.append(end) }

  /// Removes a step.
  public func remove(_ end: any EndOfTurn) { ends.removeAll { $0 === end } }

  func enqueue(_ watch: Watch) { scheduled.append(watch) }

  func remove(_ watch: Watch) {
    guard let descriptor = watch.descriptor, watches.removeValue(forKey: watch.token) != nil else { return }
    poller.remove(descriptor)
  }

  /// Everything a turn does before it sleeps. Returns how long it may sleep, in milliseconds; -1 for ever.
  func turn() -> CInt {
    now = clock()
    for _ in 0..<Self.timersPerTurn {
      guard let (timer, handler) = timers.popDue(now) else { break }
      handler.fired(timer)
    }
    swap(&turning, &scheduled)
    for watch in turning {
      watch.isScheduled = false
      let fired = watch.fired
      watch.fired = []
      watch.source?.turn(fired)
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
    let left = next.nanoseconds - now.nanoseconds
    // Round up: waking early would only mean waking twice.
    return left <= 0 ? 0 : CInt(clamping: (left + 999_999) / 1_000_000)
  }

  /// Drops those scheduled sources that have nothing left to do; true when any has.
  private func stillReady() -> Bool {
    guard !scheduled.isEmpty else { return false }
    scheduled.removeAll { watch in
      if let source = watch.source, !watch.fired.isEmpty || source.isReady() { return false }
      watch.isScheduled = false
      return true
    }
    return !scheduled.isEmpty
  }

  func sleep(milliseconds: CInt) {
    poller.wait(milliseconds: milliseconds) { token, events in
      guard let watch = watches[token] else { return }
      watch.fired.formUnion(events)
      watch.schedule()
    }
  }
}
