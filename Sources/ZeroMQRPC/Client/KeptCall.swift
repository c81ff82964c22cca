import Reactor

/// The bytes of a call that waits for a backend, or that may be sent once more, and what became of it so far. Long ones count in a
/// budget.
final class KeptCall {
  /// Whether it may run twice. Else it is kept only while it waits.
  let isRepeatable: Bool
  /// When it was sent so long ago, a second copy is sent; nil: never.
  let hedgeDelay: Duration?
  private let call: CopiedCall
  private let share: MemoryShare?
  /// How often it may still be sent once more when its connection is lost.
  private(set) var attempts: Int
  /// It was sent before, and may have run.
  private(set) var wasSent = false
  /// The connection that has a second copy of it.
  private(set) var second: BackendConnection?
  /// A second copy is sent when it fires.
  private(set) var alarm: Timer?

  /// Copies a call that must not run twice.
  convenience init(copying call: BorrowedCall, memory: MemoryBudget?) {
    self.init(copying: call, isRepeatable: false, attempts: 0, hedgeDelay: nil, memory: memory)
  }

  /// Copies a call, which is sent once more so often when its connection is lost.
  init(copying call: BorrowedCall, isRepeatable: Bool, attempts: Int, hedgeDelay: Duration?, memory: MemoryBudget?) {
    self.call = CopiedCall(copying: call)
    self.isRepeatable = isRepeatable
    self.attempts = attempts
    self.hedgeDelay = hedgeDelay
    // A short one does not count.
    share = call.count < MemoryBudget.smallest ? nil : memory.map(MemoryShare.init)
    share?.force(call.count)
  }

  func lend<Result>(_ body: (BorrowedCall) -> Result) -> Result { call.lend(body) }

  /// Its connection was lost, and it waits to be sent once more.
  func retried() {
    attempts -= 1
    wasSent = true
  }

  /// A second copy will be sent; nil: it will not.
  func expectSecond(_ alarm: Timer?) { self.alarm = alarm }

  /// A second copy was sent.
  func secondSent(on connection: BackendConnection) { second = connection }

  /// There is no second copy any more. Returns the connection that had it.
  func endSecond() -> BackendConnection? { second.take() }
}
