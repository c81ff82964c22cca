import Dispatch
import Logging
import Reactor
import ZeroMQ

/// What the services of the three patterns are: a socket, methods, and the calls that run. It lives on its reactor; `async` methods
/// run elsewhere.
actor ServiceCore {
  private enum Phase {
    case open
    /// No more calls are taken, those that run are waited for.
    case closing
    case closed
  }

  /// A method that runs beside others.
  private struct Running {
    let job: MethodCall
    var timer: Timer?
    /// Its time was up, and its caller has been told.
    var isLate = false
    /// And it goes on nevertheless.
    var isStuck = false
  }

  /// How long a cancelled method may go on before it is said to be stuck.
  static let patience = Duration.seconds(1)

  nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private let handler: any Handler
  private let options: ServiceOptions
  private let runner: MethodRunner
  private let workers: MethodWorkers
  private nonisolated let accounts: ServiceAccounts
  /// nil when methods may take any time.
  private nonisolated let watch: InlineWatch?
  private let clock = ServiceClock()
  private var socket: ServiceSocket?
  private var phase = Phase.open
  // These change while no other code runs.
  @exclusivity(unchecked) private var running = PendingCalls<Running>()
  @exclusivity(unchecked) private var beginning: [MethodWorkers.Job] = []
  @exclusivity(unchecked) private var ended: [MethodWorkers.Ended] = []
  private var grace: Timer?
  private var failure: ServiceError?
  private var waiting: [CheckedContinuation<Void, Never>] = []
  /// While it closes, nobody else may hold it.
  private var itself: ServiceCore?

  private init(_ handler: any Handler, _ pattern: CallPattern, _ options: ServiceOptions, on reactor: Reactor) {
    self.handler = handler
    self.options = options
    self.reactor = reactor
    let accounts = ServiceAccounts()
    self.accounts = accounts
    watch = options.timeout.map { InlineWatch($0, accounts, options.logger) }
    runner = MethodRunner(pattern, options)
    workers = MethodWorkers(runner, on: reactor)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  // The socket belongs to the reactor's thread, and is let go of there.
  isolated deinit {}

  /// Starts one. When the call throws, nothing is left of it.
  static func start(
    _ handler: any Handler, _ pattern: CallPattern, bind: [any EndpointConvertible], connect: [any EndpointConvertible],
    _ options: ServiceOptions, in context: Context, on reactor: Reactor
  ) async throws -> ServiceCore {
    try options.check()
    if let faults = (handler as? Methods)?.faults, !faults.isEmpty { throw ServiceError.badMethods(faults) }
    let handler: any Handler = options.describes && pattern == .rpc ? Described(handler) : handler
    let core = ServiceCore(handler, pattern, options, on: reactor)
    try await core.open(pattern, in: context)
    do {
      for endpoint in bind { try await core.bind(endpoint) }
      for endpoint in connect { try await core.connect(endpoint) }
    } catch {
      await core.end(nil)
      throw error
    }
    return core
  }

  private func open(_ pattern: CallPattern, in context: Context) throws {
    clock.core = self
    socket = try ServiceSocket(
      pattern, handler, runner, options, accounts, watch, in: context, on: reactor.loop, core: self)
  }

  // MARK: Endpoints

  @discardableResult
  func bind(_ endpoint: some EndpointConvertible) async throws -> Endpoint {
    let address = try await endpoint.asEndpoint().bindAddress(ipv6: requireOpen().option(.ipv6))
    return try requireOpen().bind(address)
  }

  func connect(_ endpoint: some EndpointConvertible) throws { try requireOpen().connect(endpoint.asEndpoint()) }

  /// Runs something with the socket. Throws when the service is closed.
  func withSocket<Result: Sendable>(_ body: @Sendable (LoopSocket) throws -> Result) throws -> Result {
    try body(requireOpen())
  }

  private func requireOpen() throws(ServiceError) -> LoopSocket {
    guard phase == .open, let socket else { throw .closed }
    return socket.inner
  }

  func requireOpen() throws(ServiceError) {
    guard phase == .open else { throw .closed }
  }

  // MARK: Calls

  /// Takes calls that came together, whose methods run beside others: what runs them wakes once.
  func begin(_ calls: [MethodCall]) {
    for call in calls {
      let number = running.nextNumber()
      let timer = options.timeout.map { reactor.loop.schedule(at: reactor.loop.now + $0, clock, tag: number) }
      running.insert(number, Running(job: call, timer: timer))
      beginning.append((number, call))
    }
    count()
    workers.add(beginning, for: self)
    beginning.removeAll(keepingCapacity: true)
  }

  /// Methods have ended that ran beside others.
  func takeEnded() {
    workers.takeEnded(into: &ended)
    for (number, outcome) in ended { finish(number, outcome) }
    ended.removeAll(keepingCapacity: true)
    endIfIdle()
  }

  /// Without an outcome it has not begun.
  private func finish(_ number: UInt32, _ outcome: Outcome?) {
    guard let ended = running.remove(number) else { return }
    if let timer = ended.timer { reactor.loop.cancel(timer) }
    if ended.isStuck { count(stuck: stuck) }
    count()
    socket?.ended(ended.job)
    if let outcome, !ended.isLate { socket?.answer(ended.job.reply, outcome) }
  }

  func expired(_ timer: Timer) {
    guard timer != grace else { return end(nil) }
    let number = timer.tag
    guard var running = running[number] else { return }
    let call = running.job.call
    if running.isLate {
      (running.isStuck, running.timer) = (true, nil)
      self.running.update(number) { $0 = running }
      count(stuck: stuck)
      options.logger.error(
        "a method goes on although its time is up, and keeps its place",
        metadata: [
          "method": "\(call.name)", "stuck": .stringConvertible(stuck),
          "concurrency": .stringConvertible(options.concurrency),
        ])
    } else {
      running.isLate = true
      running.timer = reactor.loop.schedule(at: reactor.loop.now + Self.patience, clock, tag: number)
      self.running.update(number) { $0 = running }
      let isTold = accounts.timedOut.increment()
      if !workers.cancel(number) { finish(number, nil) }
      if isTold || call.reply == nil {
        options.logger.warning(
          "a method was not done in time",
          metadata: ["method": "\(call.name)", "so-far": .stringConvertible(accounts.timedOut.count)])
      }
      socket?.answer(call.reply, Outcome(.timeout))
      endIfIdle()
    }
  }

  private var stuck: Int { running.numbers { $0.isStuck }.count }

  private func count() { accounts.running.set(running.count) }

  private func count(stuck: Int) { accounts.stuck.set(stuck) }

  /// What they say when the reactor has come by, or is known not to, since a method holds it past its time. A method of another service
  /// may hold it too, which nobody knows here: it is waited for no longer than `patience`.
  nonisolated var counters: ServiceCounters {
    get async {
      if accounts.holding.count == 0 { await comesBy() }
      return accounts.counters
    }
  }

  private nonisolated func comesBy() async {
    await withCheckedContinuation { continuation in
      let waiting = Guarded<CheckedContinuation<Void, Never>?>(continuation)
      @Sendable func end() { waiting.withLock { $0.take() }?.resume() }
      reactor.submit(end)
      // Not a task: methods that compute may have all threads of Swift's pool.
      DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(Self.patience.nanoseconds)), execute: end)
    }
  }

  // MARK: The end

  func close() {
    guard phase == .open else { return }
    phase = .closing
    socket?.stopReading()
    endIfIdle()
    guard phase == .closing else { return }
    guard options.grace > .zero, !reactor.loop.isStopped else { return end(nil) }
    itself = self
    grace = reactor.loop.schedule(at: reactor.loop.now + options.grace, clock)
  }

  func waitClosed() async {
    await withCheckedContinuation { if phase == .closed { $0.resume() } else { waiting.append($0) } }
  }

  /// Serves until it is closed, or the task that waits here is cancelled.
  func run() async throws(ServiceError) {
    await withTaskCancellationHandler {
      await waitClosed()
    } onCancel: {
      reactor.submit { self.assumeIsolated { $0.close() } }
    }
    if let failure { throw failure }
  }

  /// Ends a closing service that has nothing left to do.
  func endIfIdle() {
    if phase == .closing, running.count == 0, socket?.hasSentAll ?? true { end(nil) }
  }

  func lostSocket(_ error: ZMQError) { end(.socket(error)) }

  private func end(_ error: ServiceError?) {
    guard phase != .closed else { return }
    phase = .closed
    failure = error
    for number in running.numbers(where: { _ in true }) {
      if let timer = running.remove(number)?.timer { reactor.loop.cancel(timer) }
    }
    count()
    count(stuck: 0)
    beginning = []
    workers.end()
    if let grace = grace.take() { reactor.loop.cancel(grace) }
    socket.take()?.close()
    itself = nil
    for waiter in waiting { waiter.resume() }
    waiting = []
  }
}

/// What the timers of a service hold instead of it.
private final class ServiceClock: TimerHandler {
  weak var core: ServiceCore?

  func fired(_ timer: Timer) { core?.assumeIsolated { $0.expired(timer) } }
}
