import GatewaySecurity
import Logging
import MessagePack
import Reactor
import ZeroMQRPC

/// Whether a caller may do something, as the service of `auth.decision` says.
enum Verdict {
  /// It may, until then.
  case allowed(until: Instant)
  case refused
  /// It could not be asked.
  case failed
}

/// Who waits for an answer.
protocol DecisionWaiter: AnyObject {
  /// The answer came, or none will.
  func decided(_ key: SecretDigest, _ verdict: Verdict)
}

/// What one shard asks the service of `auth.decision`, and what it was answered of late. There is one for each shard as long as it lives;
/// another configuration empties it.
///
/// A question that is being asked is not asked again: whoever has the same waits for its answer. How many are asked at one time is
/// bounded by `in-flight` and `queue` of the service.
final class Decisions {
  /// What has happened since the start.
  struct Counters: Hashable, Sendable {
    /// Answers that allow, and that refuse.
    var allowed = 0, refused = 0
    /// Questions without an answer that can be used.
    var failed = 0
    /// Questions that were sent, that waited for the same one, that an answer which was kept has answered, and that could not be sent
    /// or need not be.
    var asked = 0, joined = 0, kept = 0, unasked = 0

    static func + (left: Counters, right: Counters) -> Counters {
      Counters(
        allowed: left.allowed + right.allowed, refused: left.refused + right.refused,
        failed: left.failed + right.failed,
        asked: left.asked + right.asked, joined: left.joined + right.joined, kept: left.kept + right.kept,
        unasked: left.unasked + right.unasked)
    }
  }

  /// What is asked for; nil where nothing is.
  private(set) var settings: Configuration.Decision?
  private(set) var counters = Counters()
  private let reactor: Reactor
  private var upstream: RPCUpstream?
  private var kept = KeptDecisions(limit: 1)
  private var asking: [SecretDigest: AskedQuestion] = [:]
  /// How many of these each caller has, by its subject, and may have.
  private var asked: [String: Int] = [:]
  private var share = 1
  /// Of streams that are open.
  private var standing: [ObjectIdentifier: StandingDecision] = [:]
  private var failures = PowerOfTwoCounter()
  private let logger: Logger

  /// Asks for nothing until `use`.
  init(on reactor: Reactor, logger: Logger) { (self.reactor, self.logger) = (reactor, logger) }

  /// That of the shard's thread, which alone comes here.
  var loop: Loop { reactor.loop }

  /// Whether anything is asked. Each request wants to know.
  private(set) var isOn = false

  /// Whether the last question had no answer, or the next will have none, and what is asked for is refused for that. Then a path where
  /// nothing is gets the same problem as a route of which nobody could be asked: else the answer would tell which routes there are.
  var isSilent: Bool { lastHasFailed || upstream?.isReady == false && settings?.failsOpen == false }
  private var lastHasFailed = false

  /// What is asked from now on, and of these services. All answers are forgotten: open streams are asked for again.
  func use(_ settings: Configuration.Decision?, _ upstreams: UpstreamTable) {
    let found = settings.flatMap { settings in upstreams.services.first { $0.name == settings.service } }
    if case .rpc(let upstream)? = found?.upstream { self.upstream = upstream } else { upstream = nil }
    self.settings = settings
    isOn = settings != nil
    // A caller whose questions are slow leaves room for those of others.
    share = max(1, (found?.shared.inFlight.limit ?? 0) / 4)
    kept = KeptDecisions(limit: settings?.entries ?? 1)
    if isOn { for decision in standing.values { decision.askAgain() } }
    // Whoever waits gets the answer to what was asked before.
    for question in asking.values { question.isOutdated = true }
    (asking, asked, lastHasFailed) = ([:], [:], false)
  }

  /// A stream has opened, and is asked for again when the answers are forgotten, until `leave`.
  func join(_ decision: StandingDecision) { standing[ObjectIdentifier(decision)] = decision }
  func leave(_ decision: StandingDecision) { standing[ObjectIdentifier(decision)] = nil }

  /// How many answers are kept, and may be.
  var keptCount: (now: Int, limit: Int) { (kept.count, settings?.entries ?? 0) }

  /// The verdict when it is known, or known to fail, at once; else the waiter is told it in a later turn.
  func ask(_ question: DecisionQuestion, for waiter: any DecisionWaiter) -> Verdict? {
    if let entry = kept.find(question.key, at: loop.now) {
      counters.kept += 1
      return entry.isAllowed ? .allowed(until: entry.until) : .refused
    }
    if let same = asking[question.key] {
      counters.joined += 1
      same.add(waiter)
      return nil
    }
    guard asked[question.subject, default: 0] < share else {
      counters.unasked += 1
      return failed("one caller has as many questions under way as it may", isOurs: true)
    }
    let next = AskedQuestion(question, in: self)
    if let (reason, isOurs) = send(question, to: next) {
      counters.unasked += 1
      return failed(reason, isOurs: isOurs)
    }
    counters.asked += 1
    asking[question.key] = next
    asked[question.subject, default: 0] += 1
    next.add(waiter)
    return nil
  }

  /// Something is refused of which nobody need be asked.
  func refuseUnasked() { counters.unasked += 1 }

  /// The waiter does not want to know any more.
  func forget(_ waiter: any DecisionWaiter, _ key: SecretDigest) { asking[key]?.remove(waiter) }

  /// Returns why it cannot be sent, if it cannot, and whether that is for a limit of the gateway's own.
  private func send(_ question: DecisionQuestion, to asked: AskedQuestion) -> (String, isOurs: Bool)? {
    guard let settings, let upstream, let method = MethodName(settings.method) else {
      return ("there is no such service", true)
    }
    var buffer = ByteBuffer(capacity: question.bytes.count + 1)
    buffer.appendArrayHeader(1)
    question.bytes.withUnsafeBytes { buffer.append($0) }
    do throws(Problem) {
      _ = try upstream.call(
        method, CallFrames(arguments: 0..<buffer.count), in: buffer, asking: settings.timeout, replyTo: asked)
      return nil
    } catch {
      return (error.code.rawValue, error.code == .overloaded || error.code == .queueFull)
    }
  }

  /// It is not under way any more.
  private func end(_ question: AskedQuestion) {
    guard !question.isOutdated else { return }
    asking[question.key] = nil
    let rest = asked[question.subject, default: 1] - 1
    asked[question.subject] = rest > 0 ? rest : nil
  }

  fileprivate func answered(_ asked: AskedQuestion, _ answer: DecisionAnswer) {
    end(asked)
    lastHasFailed = false
    if answer.isAllowed { counters.allowed += 1 } else { counters.refused += 1 }
    let until = loop.now + (answer.time ?? settings?.keep ?? .zero)
    if !asked.isOutdated, until > loop.now {
      kept.keep(.init(isAllowed: answer.isAllowed, until: until), of: asked.key)
    }
    asked.tell(answer.isAllowed ? .allowed(until: until) : .refused)
  }

  fileprivate func failed(_ asked: AskedQuestion, because reason: String, isOurs: Bool = false) {
    end(asked)
    asked.tell(failed(reason, isOurs: isOurs))
  }

  /// What a limit of the gateway's own refuses to ask is not allowed, whatever the settings: else whoever fills it up would be.
  private func failed(_ reason: String, isOurs: Bool) -> Verdict {
    let isAllowed = settings?.failsOpen == true && !isOurs
    counters.failed += 1
    lastHasFailed = !isAllowed
    if failures.increment() {
      logger.warning(
        "the service of auth.decision cannot be asked",
        metadata: [
          "service": "\(settings?.service ?? "")", "reason": "\(reason)", "so-far": .stringConvertible(failures.count),
          "allowed": .stringConvertible(isAllowed),
        ])
    }
    return isAllowed ? .allowed(until: loop.now) : .failed
  }
}

/// A question on its way, and who waits for its answer.
private final class AskedQuestion: ReplyHandler {
  let key: SecretDigest
  let subject: String
  /// What is asked for has changed since: the answer is for those who wait, and not kept.
  var isOutdated = false
  private let decisions: Decisions
  /// More of the name of an exception's class is not told.
  private static let longestName = 200
  private var waiting: [ObjectIdentifier: any DecisionWaiter] = [:]

  init(_ question: DecisionQuestion, in decisions: Decisions) {
    (key, subject, self.decisions) = (question.key, question.subject, decisions)
  }

  func add(_ waiter: any DecisionWaiter) { waiting[ObjectIdentifier(waiter)] = waiter }

  func remove(_ waiter: any DecisionWaiter) { waiting[ObjectIdentifier(waiter)] = nil }

  func tell(_ verdict: Verdict) {
    let waiters = waiting.values
    waiting = [:]
    for waiter in waiters { waiter.decided(key, verdict) }
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    guard !isException else {
      let name = (try? RemoteException(body))?.name.prefix(Self.longestName) ?? "an exception"
      return decisions.failed(self, because: "it raised \(name)")
    }
    guard let answer = DecisionAnswer(body) else {
      return decisions.failed(self, because: "it answered neither a bool nor {\"allow\": ..., \"ttl\": ...}")
    }
    decisions.answered(self, answer)
  }

  func failed(_ failure: CallFailure) {
    let ours: [CallFailure.Code] = [.overloaded, .queueFull, .queueTimeout, .memoryFull]
    decisions.failed(self, because: failure.code.rawValue, isOurs: ours.contains(failure.code))
  }
}
