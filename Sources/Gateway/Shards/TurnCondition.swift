import Reactor

/// Waits for something that turns of a loop bring about, by looking at the end of each, and for a deadline.
final class TurnCondition: TurnEnd, Alarm {
  private let loop: Loop
  private let isMet: () -> Bool
  private var deadline: Deadline?
  private var done: (() -> Void)?

  /// Calls `done` once: when the condition holds, or at the deadline.
  init(_ loop: Loop, until deadline: Instant, _ isMet: @escaping () -> Bool, done: @escaping () -> Void) {
    self.loop = loop
    self.isMet = isMet
    self.done = done
    self.deadline = loop.schedule(at: deadline, self)
    // Behind those that are there already, so that it sees what they have done in the turn.
    loop.append(self)
  }

  func finishTurn() -> Instant? {
    if isMet() { finish() }
    return nil
  }

  func ring(_ deadline: Deadline) { finish() }

  private func finish() {
    guard let done = done.take() else { return }
    if let deadline { loop.cancel(deadline) }
    loop.remove(self)
    done()
  }
}
