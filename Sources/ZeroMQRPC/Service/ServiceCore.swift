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
    let call: IncomingCall
    let task: Task<Void, Never>
    var timer: Timer?
    /// Its time was up, and its caller has been told.
    var isLate = false
    /// And it goes on nevertheless.
    var isStuck = false
  }

  /// How long a cancelled method may go on before it is said to be stuck.
  private static let patience = Duration.seconds(1)
  /// The tag of the timer that ends the grace; those of calls are their numbers, which begin at 1.
  private static let graceTag: UInt32 = 0

  nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private let handler: any Handler
  private let options: ServiceOptions
  private let runner: MethodRunner
  private let clock = ServiceClock()
  private var socket: ServiceSocket?
  private var phase = Phase.open
  private var running: [UInt32: Running] = [:]
  private var lastCall: UInt32 = 0
  private var timedOut = PowerOfTwoCounter()
  private var overran = PowerOfTwoCounter()
  private var grace: Timer?
  private var failure: ServiceError?
  private var waiting: [CheckedContinuation<Void, Never>] = []
  /// While it closes, nobody else may hold it.
  private var itself: ServiceCore?

  private init(_ handler: any Handler, _ pattern: CallPattern, _ options: ServiceOptions, on reactor: Reactor) {
    self.handler = handler
    self.options = options
    self.reactor = reactor
    runner = MethodRunner(pattern, options)
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
    socket = try ServiceSocket(pattern, options, in: context, on: reactor.loop, core: self)
  }

  // MARK: Endpoints

  @discardableResult
  func bind(_ endpoint: some EndpointConvertible) async throws -> Endpoint {
    let endpoint = try await endpoint.asEndpoint().withAddress(ipv6: options.socket.ipv6)
    return try requireOpen().bind(endpoint)
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

  /// Runs a call that came, or begins to.
  func take(_ call: IncomingCall) {
    let method: Method
    do {
      guard let found = try handler.find(call.name) else { throw RemoteException.notFound(call.name) }
      method = found
    } catch {
      return answer(call, runner.notFound(call, error))
    }
    if case .inline(let body) = method.body, call.arguments.isShort {
      answer(call, runner.run(body, of: method, for: call))
      if let deadline = call.context.deadline, deadline < .now { countOverrun(call, by: .now - deadline) }
    } else {
      begin(method, call)
    }
  }

  private func begin(_ method: Method, _ call: IncomingCall) {
    let number = nextNumber()
    let runner = runner
    let task = Task { @concurrent in
      let outcome = await runner.run(method, for: call)
      await self.finish(number, outcome)
    }
    let timer = options.timeout.map { reactor.loop.schedule(at: reactor.loop.now + $0, clock, tag: number) }
    running[number] = Running(call: call, task: task, timer: timer)
    socket?.began(call)
  }

  private func countOverrun(_ call: IncomingCall, by duration: Duration) {
    guard overran.increment() else { return }
    options.logger.error(
      "a method that is not async was stuck: it came back after its time, and nobody was served meanwhile",
      metadata: ["method": "\(call.name)", "late-by": "\(duration)", "so-far": "\(overran.count)"])
  }

  /// Numbers begin again after 2^32, and methods may still run that have some.
  private func nextNumber() -> UInt32 {
    repeat { lastCall &+= 1 } while lastCall == Self.graceTag || running[lastCall] != nil
    return lastCall
  }

  private func finish(_ number: UInt32, _ outcome: Outcome) {
    guard let ended = running.removeValue(forKey: number) else { return }
    if let timer = ended.timer { reactor.loop.cancel(timer) }
    socket?.ended(ended.call)
    if !ended.isLate { answer(ended.call, outcome) }
    endIfIdle()
  }

  private func answer(_ call: IncomingCall, _ outcome: Outcome) {
    if outcome.isMalformed { socket?.countMalformed("its arguments cannot be unpacked") }
    if let reply = call.reply { socket?.send(outcome, to: reply) }
  }

  func expired(_ timer: Timer) {
    guard timer.tag != Self.graceTag else { return end(nil) }
    guard let call = running[timer.tag]?.call else { return }
    if running[timer.tag]?.isLate == true {
      running[timer.tag]?.isStuck = true
      running[timer.tag]?.timer = nil
      options.logger.error(
        "a method goes on although its time is up, and keeps its place",
        metadata: ["method": "\(call.name)", "stuck": "\(stuck)", "concurrency": "\(options.concurrency)"])
    } else {
      running[timer.tag]?.isLate = true
      running[timer.tag]?.timer = reactor.loop.schedule(at: reactor.loop.now + Self.patience, clock, tag: timer.tag)
      running[timer.tag]?.task.cancel()
      if timedOut.increment() || call.reply == nil {
        options.logger.warning(
          "a method was not done in time", metadata: ["method": "\(call.name)", "so-far": "\(timedOut.count)"])
      }
      answer(call, Outcome(.timeout))
    }
  }

  private var stuck: Int { running.values.count(where: { $0.isStuck }) }

  var counters: ServiceCounters {
    var counters = ServiceCounters(
      running: running.count, stuck: stuck, timedOut: timedOut.count, overran: overran.count)
    socket?.count(into: &counters)
    return counters
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
    grace = reactor.loop.schedule(at: reactor.loop.now + options.grace, clock, tag: Self.graceTag)
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
    if phase == .closing, running.isEmpty, socket?.hasSentAll ?? true { end(nil) }
  }

  func lostSocket(_ error: ZMQError) { end(.socket(error)) }

  private func end(_ error: ServiceError?) {
    guard phase != .closed else { return }
    phase = .closed
    failure = error
    for call in running.values {
      if let timer = call.timer { reactor.loop.cancel(timer) }
      call.task.cancel()
    }
    running = [:]
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
