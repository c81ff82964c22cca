import Dispatch
import Logging
import Reactor

/// Looks from beside the reactor whether methods that are not `async` come back: while one runs, the reactor does nothing else, and could
/// not tell.
///
/// A look is due when the time of a method has been up for a second. Methods that come back before share looks, so that a service that is
/// called all the time has one for each span of that length.
final class InlineWatch: Sendable {
  private struct State {
    /// What runs at the moment.
    var method: String?
    var began = Instant(nanoseconds: 0)
    /// A look will come.
    var isWatched = false
    /// How many were stuck.
    var stuck = PowerOfTwoCounter()
  }

  /// A longer way ahead is gone in several steps: 1 hour.
  private static let longestWait = Duration.hours(1)

  private let timeout: Duration
  private let accounts: ServiceAccounts
  private let logger: Logger
  private let state = Guarded(State())

  init(_ timeout: Duration, _ accounts: ServiceAccounts, _ logger: Logger) {
    self.timeout = timeout
    self.accounts = accounts
    self.logger = logger
  }

  /// A method begins.
  func began(_ method: String) {
    let now = Instant.monotonic()
    let isWatched = state.withLock { state in
      state.method = method
      state.began = now
      defer { state.isWatched = true }
      return state.isWatched
    }
    if !isWatched { look(at: now + timeout + ServiceCore.patience) }
  }

  /// It has come back. Returns by how much its time was exceeded, if it was.
  func ended() -> Duration? {
    let began = state.withLock { state in
      state.method = nil
      accounts.holding.set(0)
      return state.began
    }
    let late = Instant.monotonic() - began - timeout
    return late > .zero ? late : nil
  }

  private func look(at due: Instant) {
    let wait = min(due - .monotonic(), Self.longestWait)
    // Not a task: methods that compute may have all threads of Swift's pool.
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(wait.nanoseconds))) { self.look() }
  }

  private func look() {
    var (due, stuck): (Instant?, (method: String, count: Int)?)
    state.withLock { state in
      let end = state.began + timeout + ServiceCore.patience
      if state.method != nil, Instant.monotonic() < end {
        due = end
        return
      }
      // The next method that begins is looked after again.
      state.isWatched = false
      guard let method = state.method else { return }
      accounts.holding.set(1)
      if state.stuck.increment() { stuck = (method, state.stuck.count) }
    }
    if let due { look(at: due) }
    guard let stuck else { return }
    logger.error(
      "a method that is not async is stuck: it goes on although its time is up, and nobody is served meanwhile",
      metadata: ["method": "\(stuck.method)", "so-far": .stringConvertible(stuck.count)])
  }
}
