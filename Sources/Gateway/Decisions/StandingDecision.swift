import GatewaySecurity
import Reactor

/// That a stream may go on: it is asked again when the answer holds no more.
///
/// While the service cannot be asked a stream that is open goes on for as long again as an answer holds, so that a service which starts
/// anew ends no streams.
final class StandingDecision: DecisionWaiter, TimerHandler {
  private let question: DecisionQuestion
  private let decisions: Decisions
  /// Until when the last answer holds.
  private var until: Instant
  private var timer: Timer?
  private var isAsking = false
  /// Told once that it may not go on; nil before it begins, and when it has ended.
  private var ended: (() -> Void)?
  /// Whether the stream may not go on.
  private(set) var isRefused = false

  /// It is never asked again sooner.
  private static let shortest = Duration.seconds(1)

  init(_ question: DecisionQuestion, until: Instant, in decisions: Decisions) {
    self.question = question
    self.decisions = decisions
    self.until = until
  }

  /// The stream is open: `ended` is called when it may not go on.
  func begin(_ ended: @escaping () -> Void) {
    self.ended = ended
    decisions.join(self)
    schedule(at: until)
  }

  /// The stream is over.
  func stop() {
    ended = nil
    decisions.leave(self)
    rest()
  }

  /// The last answer holds no more.
  func askAgain() {
    guard ended != nil else { return }
    rest()
    until = decisions.loop.now
    schedule(at: until)
  }

  /// Neither waits for an answer nor for its time.
  private func rest() {
    if let timer = timer.take() { decisions.loop.cancel(timer) }
    if isAsking { decisions.forget(self, question.key) }
    isAsking = false
  }

  private func schedule(at time: Instant) {
    timer = decisions.loop.schedule(at: max(time, decisions.loop.now + Self.shortest), self)
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    // Where nothing is asked any more, the reload has ended the streams.
    guard decisions.isOn else { return }
    if let verdict = decisions.ask(question, for: self) { return heard(verdict) }
    isAsking = true
  }

  func decided(_ key: SecretDigest, _ verdict: Verdict) {
    isAsking = false
    heard(verdict)
  }

  private func heard(_ verdict: Verdict) {
    guard ended != nil else { return }
    switch verdict {
    case .allowed(let until):
      self.until = until
      schedule(at: until)
    case .failed where decisions.loop.now < until + max(decisions.settings?.keep ?? .zero, Self.shortest):
      schedule(at: decisions.loop.now)
    case .refused, .failed:
      isRefused = true
      ended.take()?()
    }
  }
}
