import Reactor

/// A count that a test waits for: the other side counts up, the test awaits a number. Never sleeps.
public final class Tally: Sendable {
  private struct State {
    var count = 0
    var waiters: [(Int, CheckedContinuation<Void, Never>)] = []
  }
  private let state = Guarded(State())

  /// A tally at zero.
  public init() {}

  /// How often it was counted up.
  public var count: Int { state.withLock { $0.count } }

  /// Counts one more, and wakes who waited for it.
  public func countUp() {
    let due = state.withLock { state in
      state.count += 1
      let count = state.count
      let due = state.waiters.filter { $0.0 <= count }
      state.waiters.removeAll { $0.0 <= count }
      return due
    }
    for (_, waiter) in due { waiter.resume() }
  }

  /// Returns as soon as the count has reached the number. A suite's time limit bounds the wait.
  public func reaches(_ number: Int) async {
    await withCheckedContinuation { waiter in
      let reached = state.withLock { state in
        if state.count >= number { return true }
        state.waiters.append((number, waiter))
        return false
      }
      if reached { waiter.resume() }
    }
  }
}
