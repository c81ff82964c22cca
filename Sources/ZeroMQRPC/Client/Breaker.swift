import Reactor

/// Whether an endpoint gets calls. A value without I/O.
///
/// Closed, it gets them. Failures in a row, with no reply between them, open it: then it gets none for a while. After that (half open) it
/// gets one call at a time, to try: a reply closes the breaker, one more failure opens it again.
///
/// A failure is a connection that was lost with calls on it, or a call that was not answered for long enough. Of calls that were under
/// way together only the first one counts: a pause of the backend makes many calls fail at once, and is one failure all the same.
struct Breaker {
  private enum State: Hashable {
    case closed
    case open(until: Instant)
    case halfOpen
  }

  /// They may change at any time: an endpoint that is left alone stays so for as long as it was to be.
  var options: BreakerOptions
  private var state = State.closed
  private var failures = 0
  private var lastFailure = Instant(nanoseconds: .min)

  init(_ options: BreakerOptions) { self.options = options }

  /// Whether there was no failure since the last reply.
  var isUnharmed: Bool { state == .closed && failures == 0 }

  /// Whether the endpoint gets calls as others do.
  var isClosed: Bool { state == .closed }

  /// Until when it is open; nil when it is not.
  var openUntil: Instant? { if case .open(let end) = state { end } else { nil } }

  /// Whether the endpoint gets a call when so many are under way to it.
  func allowsCall(underWay calls: Int) -> Bool {
    switch state {
    case .closed: true
    case .open: false
    case .halfOpen: calls == 0
    }
  }

  /// A call that was sent at `sent` failed. True when this opens the breaker.
  mutating func failed(sent: Instant, at now: Instant) -> Bool {
    guard let most = options.failures, openUntil == nil, sent >= lastFailure else { return false }
    lastFailure = now
    failures += 1
    guard state == .halfOpen || failures >= most else { return false }
    state = .open(until: now + options.open)
    return true
  }

  /// A reply came, if only a late one. True when this closes the breaker.
  mutating func replied() -> Bool {
    defer { (state, failures) = (.closed, 0) }
    return state != .closed
  }

  /// Time has passed. True when the endpoint has been left alone for long enough now, and is tried.
  mutating func elapsed(at now: Instant) -> Bool {
    guard let openUntil, now >= openUntil else { return false }
    state = .halfOpen
    return true
  }
}
