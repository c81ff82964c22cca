public import Reactor

/// Decides who may come into the sockets of a context that ask for it: those whose `SocketSecurity` names a domain.
///
/// A context has at most one, and domains are added to it, each with a list or with a closure. A peer of a domain that was not added is
/// refused; so is everyone after `close`, or when the authenticator is dropped.
///
/// ```swift
/// let authenticator = try await Authenticator.open()
/// await authenticator.allow(AllowList(keys: [client.publicKey: "alice"]), in: "orders")
/// await authenticator.decide(in: "billing") { request in
///   guard case .curve(let key) = request.credentials, let user = try await directory.user(of: key) else { return .deny }
///   return .allow(user: user)
/// }
/// ```
public actor Authenticator {
  /// Decides about a peer. It runs on no reactor, many at one time.
  public typealias Decision = @Sendable (AuthenticationRequest) async throws -> AuthenticationAnswer

  /// What an authenticator is told at its start.
  public struct Options: Sendable {
    /// How long a closure may take. Less than the handshake of the sockets that ask (`SocketOptions.handshake`, 5 s). Default: 1 s.
    public var deadline: Duration = .seconds(1)
    /// How many closures may be under way; those that have missed their deadline count until they return. Beyond that, peers are refused
    /// for the moment. Default: 1,000.
    public var pending = 1_000
    /// Is told of each peer that is refused, on the reactor: it must not block. Default: nobody.
    public var denied: (@Sendable (Denial) -> Void)?

    /// The defaults.
    public init() {}
  }

  /// What has been answered.
  public struct Counts: Sendable, Hashable {
    /// Peers that were let in.
    public var allowed = 0
    /// Peers that were refused, by what they were told.
    public var denied: [Denial.Code: Int] = [:]
    /// Messages that were no questions. libzmq sends none such.
    public var malformed = 0
  }

  private enum Rule {
    case list(AllowList)
    case decision(Decision)
  }

  /// A closure that has not returned yet.
  private struct Pending {
    /// nil when the deadline has answered it.
    var question: ZAPQuestion?
    var timer: Timer?
    var task: Task<Void, Never>?
  }

  public nonisolated let unownedExecutor: UnownedSerialExecutor
  /// What has been answered so far.
  public private(set) var counts = Counts()
  /// How many closures have not returned.
  public var pendingCount: Int { pending.count }

  private let reactor: Reactor
  private let options: Options
  private var socket: ZAPSocket?
  private var rules: [String: Rule] = [:]
  private var pending: [UInt32: Pending] = [:]
  private var lastNumber: UInt32 = 0

  /// Starts to answer for the context. Throws `addressInUse` when it has an authenticator already.
  public static func open(
    in context: Context = .shared, on reactor: Reactor = .shared, options: Options = .init()
  ) async throws(ZMQError) -> Authenticator {
    let authenticator = Authenticator(reactor, options)
    try await authenticator.start(in: context)
    return authenticator
  }

  private init(_ reactor: Reactor, _ options: Options) {
    (self.reactor, self.options) = (reactor, options)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  deinit { for entry in pending.values { entry.task?.cancel() } }

  private func start(in context: Context) throws(ZMQError) {
    socket = try ZAPSocket(for: self, in: context, on: reactor.loop)
  }

  // MARK: Domains

  /// Lets those on the list into the domain, and nobody else. What was said of the domain before no longer holds; peers that are
  /// connected stay so.
  public func allow(_ list: AllowList, in domain: String) { rules[domain] = .list(list) }

  /// Asks the closure about each peer of the domain. One that throws, and one that takes longer than `Options.deadline`, lets nobody in,
  /// and holds nobody else up.
  public func decide(in domain: String, _ decision: @escaping Decision) { rules[domain] = .decision(decision) }

  /// Lets nobody into the domain any more. Peers that are connected stay so.
  public func remove(domain: String) { rules[domain] = nil }

  /// Ends it: from now on nobody gets into any domain. Closures that are under way are cancelled. A second call does nothing.
  public func close() {
    socket = nil
    for entry in pending.values {
      if let timer = entry.timer { reactor.loop.cancel(timer) }
      entry.task?.cancel()
    }
    pending = [:]
  }

  // MARK: Questions

  func received(_ reading: ZAPQuestion.Reading) {
    switch reading {
    case .question(let question): ask(question)
    case .malformed(let answer):
      counts.malformed += 1
      if let answer { socket?.send(answer) }
    }
  }

  private func ask(_ question: ZAPQuestion) {
    switch rules[question.request.domain] {
    case nil: deny(question, .refused, "nobody is let into this domain")
    case .list(let list)?: answer(question, list.answer(to: question.request))
    case .decision(let decision)?:
      guard pending.count < options.pending else {
        return deny(question, .temporary, "\(options.pending) decisions are under way already")
      }
      begin(decision, question)
    }
  }

  private func begin(_ decision: @escaping Decision, _ question: ZAPQuestion) {
    lastNumber &+= 1
    let number = lastNumber
    let alarm = DecisionAlarm(self)
    let loop = reactor.loop
    let timer = loop.schedule(at: loop.now + options.deadline, alarm, tag: number)
    // Not this actor's: the closure must not run on the reactor.
    let task = Task.detached { [weak self] in
      let answer = try? await decision(question.request)
      await self?.decided(number, answer)
    }
    pending[number] = Pending(question: question, timer: timer, task: task)
  }

  private func decided(_ number: UInt32, _ answer: AuthenticationAnswer?) {
    guard let entry = pending.removeValue(forKey: number) else { return }
    if let timer = entry.timer { reactor.loop.cancel(timer) }
    // Without a question, the deadline has answered it. A second answer would end the process, by an assertion of libzmq's.
    guard let question = entry.question else { return }
    guard let answer else { return deny(question, .failed, "who decides has failed") }
    self.answer(question, answer)
  }

  fileprivate func expired(_ number: UInt32) {
    guard let question = pending[number]?.question else { return }
    pending[number]?.question = nil
    pending[number]?.timer = nil
    pending[number]?.task?.cancel()
    deny(question, .temporary, "no decision within \(options.deadline)")
  }

  private func answer(_ question: ZAPQuestion, _ answer: AuthenticationAnswer) {
    guard case .allow(let user, let properties) = answer else {
      return deny(question, .refused, "not allowed")
    }
    guard let frames = question.allowing(user: user, properties: properties) else {
      return deny(question, .failed, "the name or the properties that were decided on cannot be sent")
    }
    counts.allowed += 1
    socket?.send(frames)
  }

  private func deny(_ question: ZAPQuestion, _ code: Denial.Code, _ reason: String) {
    counts.denied[code, default: 0] += 1
    socket?.send(question.denying(code, reason))
    let request = question.request
    options.denied?(Denial(domain: request.domain, address: request.address, code: code, reason: reason))
  }
}

/// What the timer of a decision holds instead of the authenticator, which it must not keep alive.
private final class DecisionAlarm: TimerHandler {
  private weak var authenticator: Authenticator?

  init(_ authenticator: Authenticator) { self.authenticator = authenticator }

  func fired(_ timer: Timer) {
    // Timers fire on the reactor, which is the authenticator's executor.
    authenticator?.assumeIsolated { $0.expired(timer.tag) }
  }
}
