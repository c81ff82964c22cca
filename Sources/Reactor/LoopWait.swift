/// Waits for something that turns of a loop bring about, by looking at the end of each turn, and for a deadline.
public final class LoopWait: EndOfTurn, TimerHandler {
  private let loop: Loop
  private let isMet: () -> Bool
  private var timer: Timer?
  private var done: (() -> Void)?

  /// Calls `done` once: at the end of the first turn in which the condition holds, or at the deadline. The loop holds the
  /// wait until then.
  public init(_ loop: Loop, until deadline: Instant, _ isMet: @escaping () -> Bool, done: @escaping () -> Void) {
    self.loop = loop
    self.isMet = isMet
    self.done = done
    timer = loop.schedule(at: deadline, self)
    // Behind those that are there already, so that it sees what they have done in the turn.
    loop.append(self)
  }

  public func endTurn() -> Instant? {
    if isMet() { finish() }
    return nil
  }

  public func fired(_ timer: Timer) { finish() }

  private func finish() {
    guard let done = done.take() else { return }
    if let timer { loop.cancel(timer) }
    loop.remove(self)
    done()
  }
}
