import Reactor

/// Hands what happens on a reactor to tasks: the newest events, up to a bound. What nobody takes in time makes room, and is counted.
final class EventChannel<Event: Sendable>: Sendable {
  private struct State {
    var events: [Event] = []
    var waiters: [Waiter<Event?>] = []
    var dropped = 0
    var isEnded = false
  }

  private let limit: Int
  private let state = Guarded(State())

  /// A channel that keeps that many events.
  init(limit: Int) { self.limit = limit }

  /// Events that made room for newer ones.
  var dropped: Int { state.withLock { $0.dropped } }

  func offer(_ event: Event) {
    state.withLock { state in
      guard !state.isEnded else { return }
      // One that was cancelled meanwhile takes nothing.
      while !state.waiters.isEmpty { if state.waiters.removeFirst().resume(event) { return } }
      if state.events.count == limit {
        state.events.removeFirst()
        state.dropped += 1
      }
      state.events.append(event)
    }
  }

  /// No event follows. Those that are there can still be taken.
  func end() {
    let waiters = state.withLock { state in
      state.isEnded = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(nil) }
  }

  /// The oldest event, waiting for one; nil at the end, and when the task is cancelled.
  func next() async -> Event? {
    let waiter = Waiter<Event?>()
    return await withTaskCancellationHandler {
      let (event, isDecided) = state.withLock { state -> (Event?, Bool) in
        if !state.events.isEmpty { return (state.events.removeFirst(), true) }
        if state.isEnded { return (nil, true) }
        state.waiters.removeAll { $0.isAnswered }
        state.waiters.append(waiter)
        return (nil, false)
      }
      return isDecided ? event : await waiter.wait()
    } onCancel: {
      waiter.resume(nil)
    }
  }
}
