import GatewaySecurity
import HTTPServer
import Reactor

/// What was decided of one request: of a plain one whether it may be served, of a batch which of its items.
///
/// The request waits in it until all that it wants is decided, or its time is over.
final class RequestDecision: PendingWork, DecisionWaiter, TimerHandler {
  /// What a timer is for.
  private enum Clock: UInt32 {
    /// The time is over that the request has.
    case deadline
    /// All is decided: the request goes on in a turn of its own, as what tells of it is at work with the service that it may call next.
    case goOn
  }

  // The request holds this object, and abandons what waits before it is freed.
  private unowned let request: GatewayRequest
  private let decisions: Decisions
  private let wanted: Wanted
  private let address: String?
  private var verdicts: [Wish: Verdict] = [:]
  /// What is not decided yet, by its question.
  private var missing: [SecretDigest: Wish] = [:]
  private let began: Instant
  private var deadline: Timer?
  private var next: Timer?
  private var serve: (() -> Void)?
  /// How long it took: so much of the request's time is used up.
  private(set) var waited = Duration.zero

  init(_ wanted: Wanted, of request: GatewayRequest) {
    self.wanted = wanted
    self.request = request
    decisions = request.decisions
    began = decisions.loop.now
    address = decisions.settings?.tellsAddress == true ? request.serving.checks.client(of: request)?.text : nil
  }

  /// Asks for all that is wanted, and calls `serve` when it is known, which may be at once. A request that has so much time is refused when
  /// that is over, and one of which nothing is allowed.
  func ask(within time: Duration?, serve: @escaping () -> Void) {
    for wish in wanted.wishes {
      guard !wish.isOutOfQuestion else {
        decisions.refuseUnasked()
        continue
      }
      let question = question(wish)
      if let verdict = decisions.ask(question, for: self) {
        verdicts[wish] = verdict
      } else {
        missing[question.key] = wish
      }
    }
    guard !missing.isEmpty else { return goOn(serve) }
    self.serve = serve
    request.exchange.holdBody(true)
    request.waits(for: self)
    if let time { deadline = decisions.loop.schedule(at: began + time, self, tag: Clock.deadline.rawValue) }
  }

  private func question(_ wish: Wish) -> DecisionQuestion {
    DecisionQuestion(wish, by: request.caller, from: address)
  }

  func decided(_ key: SecretDigest, _ verdict: Verdict) {
    guard let wish = missing.removeValue(forKey: key) else { return }
    verdicts[wish] = verdict
    if missing.isEmpty, serve != nil {
      next = decisions.loop.schedule(at: decisions.loop.now, self, tag: Clock.goOn.rawValue)
    }
  }

  func fired(_ timer: Timer) {
    guard let serve = serve.take() else { return }
    if timer.tag == Clock.deadline.rawValue {
      deadline = nil
      stop()
      request.answer(.noTimeToDecide)
    } else {
      next = nil
      stop()
      waited = decisions.loop.now - began
      goOn(serve)
    }
    request.exchange.holdBody(false)
  }

  private func goOn(_ serve: () -> Void) {
    if let refusal = wanted.refusal {
      if !wanted.wishes.contains(where: allows) {
        let hasFailed = wanted.wishes.contains { if case .failed = verdict($0) { true } else { false } }
        let isHidden = refusal.status == 404 && decisions.isSilent
        return request.answer(hasFailed || isHidden ? .undecided : refusal)
      }
    }
    serve()
  }

  private func verdict(_ wish: Wish) -> Verdict { verdicts[wish] ?? .refused }

  /// Throws why something may not be done. What was not asked for may not.
  func check(_ wish: Wish) throws(Problem) {
    switch verdict(wish) {
    case .allowed: break
    case .refused: throw .refusedByDecision
    case .failed: throw .undecided
    }
  }

  /// Whether something may be done.
  func allows(_ wish: Wish) -> Bool { if case .allowed = verdict(wish) { true } else { false } }

  /// What a stream has to be allowed again; nil when the request is none of one thing.
  func standing() -> StandingDecision? {
    for wish in wanted.wishes {
      guard case .allowed(let until) = verdict(wish) else { continue }
      return StandingDecision(question(wish), until: until, in: decisions)
    }
    return nil
  }

  /// The client has left.
  func cancel() {
    serve = nil
    stop()
  }

  private func stop() {
    for key in missing.keys { decisions.forget(self, key) }
    missing = [:]
    for timer in [deadline.take(), next.take()] { if let timer { decisions.loop.cancel(timer) } }
  }
}

extension GatewayRequest {
  /// Refuses one of several wishes that was decided against, or not decided, where that is asked for. It counts as a call: nobody has
  /// questions asked for nothing.
  func check(_ wish: @autoclosure () -> Wish) throws(Problem) {
    guard let decision else { return }
    do throws(Problem) { try decision.check(wish()) } catch {
      try countsItem(1)
      throw error
    }
  }

  /// How long a call may take for which the client asks so long, if it asks: what deciding took is used up.
  func timeLeft(_ asked: Duration?, of settings: CallSettings) throws(Problem) -> Duration? {
    guard let waited = decision?.waited, waited > .zero else { return asked }
    let left = settings.timeout(asked: asked) - waited
    guard left > .zero else { throw .noTimeToDecide }
    return left
  }
}

extension Problem {
  /// The service that decides has said no, whether there is such a thing or not.
  static let refusedByDecision = Problem(
    .permissionDenied, "You may not do this, whether it is there or not; the operator decides with auth.decision.")

  /// The service that decides cannot be asked.
  static let undecided = Problem(
    .undecided, "The service that decides whether you may do this does not answer. Nothing was sent.")

  /// The deadline passed before it was decided.
  static let noTimeToDecide = Problem(
    .queueTimeout, "The deadline passed before it was decided whether you may do this. Nothing was sent.")
}
