import Reactor

/// Which calls are sent a second time, and when: after the loss of a connection (retries), or because the reply takes long (hedges).
/// Both draw on one budget.
final class Repeats: TimerHandler {
  /// Of a method with fewer known replies nobody knows when one takes long.
  private static let fewestReplies = 20

  /// To who sends second copies.
  private let link: EngineLink
  private var options: RPCOptions
  private let memory: MemoryBudget?
  private let loop: Loop
  private var budget: RetryBudget

  init(_ options: RPCOptions, memory: MemoryBudget?, for link: EngineLink, on loop: Loop) {
    self.link = link
    self.options = options
    self.memory = memory
    self.loop = loop
    budget = RetryBudget(percent: options.retries.percent, burst: options.retries.burst)
  }

  /// Other options hold for calls from now on. What was saved up of the budget is kept unless that is another one.
  func use(_ options: RPCOptions) {
    let (former, retries) = (self.options.retries, options.retries)
    self.options = options
    if (former.percent, former.burst) != (retries.percent, retries.burst) {
      budget = RetryBudget(percent: retries.percent, burst: retries.burst)
    }
  }

  /// Copies a call that waits, or that may run twice; nil when there is no reason to keep it.
  func keep(
    _ call: BorrowedCall, _ number: UInt32, _ latencies: MethodLatencies, isRepeatable: Bool, isSent: Bool
  ) -> KeptCall? {
    guard isRepeatable, options.repeats else { return isSent ? nil : KeptCall(copying: call, memory: memory) }
    budget.called()
    let delay: Duration? =
      switch options.hedge {
      case .never: nil
      case .after(let delay): delay
      case .percentile95: latencies.percentile95(of: call.method, fewest: Self.fewestReplies)
      }
    let kept = KeptCall(
      copying: call, isRepeatable: true, attempts: options.retries.attempts, hedgeDelay: delay, memory: memory)
    if isSent { sent(number, kept) }
    return kept
  }

  /// A call was sent: its second copy may come to be due.
  func sent(_ number: UInt32, _ call: KeptCall) {
    guard let delay = call.hedgeDelay else { return }
    call.expectSecond(loop.schedule(at: loop.now + delay, self, tag: number))
  }

  /// Whether a call whose connection was lost may be sent once more.
  func mayRetry(_ call: KeptCall) -> Bool { call.attempts > 0 && budget.isEnough }

  /// It waits to be sent once more.
  func retry(_ call: KeptCall) {
    budget.spend()
    cancelAlarm(of: call)
    call.retried()
  }

  /// A second copy is due: it is sent, if the budget allows it and another backend has room. True when it was.
  func hedge(_ call: KeptCall, by send: () -> BackendConnection?) -> Bool {
    guard budget.isEnough, let connection = send() else { return false }
    budget.spend()
    call.secondSent(on: connection)
    return true
  }

  /// A call has ended at that connection. Returns the one that still has a copy of it.
  func ended(_ call: KeptCall, at connection: BackendConnection?, first: BackendConnection?) -> BackendConnection? {
    cancelAlarm(of: call)
    guard let second = call.endSecond() else { return nil }
    return second === connection ? first : second
  }

  private func cancelAlarm(of call: KeptCall) {
    if let alarm = call.alarm { loop.cancel(alarm) }
    call.expectSecond(nil)
  }

  func fired(_ alarm: Timer) { link.engine?.secondIsDue(alarm.tag) }
}
