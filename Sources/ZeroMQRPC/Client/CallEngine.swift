public import Logging
public import Reactor
public import ZeroMQ

/// Calls the methods of aiozmq services: a connection for each endpoint, a second one while a silent one is replaced; a deadline each.
///
/// What happens to a call: it gets a number and a deadline, and goes at once to the connection that the `Balancer` chooses. When every connected
/// backend is full (libzmq refused a message for it), it waits in a queue until one has room; when the queue is full too, it is refused. Exactly one of these ends it:
///
/// - its reply comes, usable or not, from the connection that has the call; what another connection says of it is dropped;
/// - its deadline passes: `timeout` when a backend has it, `queueTimeout` when it still waits. A late reply is dropped;
/// - its connection goes, of a bound socket the last one: `backendLost`, for it may have run. Calls that wait go to another backend, and
///   fail with `noBackend` when none is left, with `breakerOpen` when all that are left are left alone;
/// - `cancel` or `close`.
///
/// When some calls of one connection have timed out, each after `RPCOptions.leastSilence`, and no reply came between them, a fresh
/// connection takes over from it. When that does not help, the endpoint's `Breaker` opens.
///
/// A *repeatable* call may run twice: it waits again when its connection goes (`RPCOptions.retries`), or has a second copy when its reply takes long (`hedge`).
///
/// Confined to a loop's thread. Because the queue is the engine's and libzmq is handed only what a connected backend has room for,
/// every failure tells whether the call can have run.
public final class CallEngine: TimerHandler {
  /// What has happened since the start.
  public private(set) var counters = Counters()
  /// Calls that wait or are sent.
  public var callsUnderWay: Int { pending.count }
  /// How many endpoints have a connected backend.
  public var connectedEndpoints: Int { balancer.connected.count }
  /// Whether all have one. False after `close()`.
  public var isConnected: Bool { !isClosed && balancer.connected.count >= balancer.endpointCount }

  /// Chooses who gets a call. Endpoints come and go through it while the engine runs.
  let balancer: Balancer
  private let logger: Logger, loop: Loop
  /// The service's calls under way on all threads, waiting and sent ones.
  private let inFlight: SharedLimit
  private let memory: MemoryBudget?, repeats: Repeats, link = EngineLink()
  @exclusivity(unchecked) private var options: RPCOptions, pending = PendingCalls<PendingCall>()
  @exclusivity(unchecked) private var queue: CallQueue, isClosed = false, latencies = MethodLatencies()
  /// What is known of the reply that a handler is being told of.
  @exclusivity(unchecked) public private(set) var currentReply = CurrentReply()

  /// Begins to connect to each endpoint, or binds, for backends that connect. Throws when an endpoint cannot be used at all. An endpoint of weight 3
  /// gets three calls for each one of an endpoint without a weight. `waiting` bounds how many calls wait (default: it does not). What waits or is being
  /// sent counts in `memory`, if there is one. `states` learns what becomes of the connections.
  public init(
    connect: [Endpoint] = [], bind: [Endpoint] = [], weights: [Endpoint: Int] = [:], inFlight: SharedLimit,
    waiting: SharedLimit? = nil, memory: MemoryBudget? = nil, openBreakers: OpenBreakers = .init(),
    states: EndpointStates? = nil, options: RPCOptions = .init(), in context: Context, on loop: Loop,
    logger: Logger = Logger(label: "zmq.rpc")
  ) throws(ZMQError) {
    (self.memory, self.logger, self.options, self.loop, self.inFlight) = (memory, logger, options, loop, inFlight)
    queue = CallQueue(limit: waiting ?? SharedLimit(limit: inFlight.limit))
    repeats = Repeats(options, memory: memory, for: link, on: loop)
    let states = states ?? EndpointStates(.rpc, bind: bind, connect: connect, logger: logger)
    balancer = Balancer(options, memory, openBreakers, states, for: link, in: context, on: loop, logger: logger)
    link.lead(to: self)
    for endpoint in connect { try balancer.connect(endpoint, weight: weights[endpoint] ?? 1) }
    if !bind.isEmpty { try balancer.bind(bind.map(BindAddress.init)) }
  }

  deinit { link.end() }

  /// Calls a method; the bytes are copied. A call that is repeatable may run twice, if the options say when.
  /// Returns its number, to cancel it by; its handler hears nothing before that. Throws what is known at once: no backend is connected, or
  /// each is left alone, too many calls of its priority are under way or wait, there is no memory for it, or the engine is closed.
  public func call(
    _ call: BorrowedCall, timeout: Duration, isRepeatable: Bool = false, priority: CallPriority = .normal,
    replyTo handler: any ReplyHandler
  ) throws(CallFailure) -> UInt32 {
    if isClosed { throw CallFailure(.closed, sent: false) }
    if balancer.callable.isEmpty { try balancer.nobodyToCall() }
    guard memory?.hasRoom(for: call.count) ?? true else { throw CallFailure(.memoryFull, sent: false) }
    guard inFlight.enter(within: options.shares[priority]) else { throw counters.shed(.overloaded, priority) }
    let number = pending.nextNumber()
    // While calls wait, no connected backend has room: as soon as one has, `sendQueued` empties the queue first.
    let connection = queue.isEmpty ? balancer.send(call, number) : nil
    guard connection != nil || queue.enter(number, pending, within: options.shares[priority]) else {
      inFlight.leave()
      throw counters.shed(.queueFull, priority)
    }
    let expiry = loop.now + timeout
    let alarm = connection == nil ? options.waits(until: expiry, from: loop.now) : expiry
    let (isSent, isPlain) = (connection != nil, connection != nil && !isRepeatable)
    let kept = isPlain ? nil : repeats.keep(call, number, latencies, isRepeatable: isRepeatable, isSent: isSent)
    pending.insert(
      number,
      PendingCall(
        handler: handler, deadline: loop.schedule(at: alarm, self, tag: number), expiry: expiry,
        connection: connection, called: loop.now, sent: loop.now, answeredBefore: connection?.answeredCalls ?? 0,
        measurement: latencies.began(call.method, at: loop.now), kept: kept))
    return number
  }

  /// Forgets a call: its handler hears no more, and a late reply is dropped. The backend is not told; it has no way to be.
  public func cancel(_ number: UInt32) {
    guard let call = take(number), let connection = call.connection else { return }
    connection.callCancelled()
    counters.lateReplies.expect(number, sent: call.sent, call.measurement)
    sendQueued()
  }

  /// What nineteen of twenty replies of the method have not exceeded of late; nil when fewer than eight of them are known.
  public func percentile95(of method: String) -> Duration? {
    method.utf8.span.withUnsafeBytes { latencies.percentile95(of: $0) }
  }

  /// Other options hold from now on; what a socket is told, those that are opened from then on.
  public func use(_ options: RPCOptions) {
    self.options = options
    balancer.use(options)
    repeats.use(options)
  }

  /// Fails what is under way and closes the sockets. A second call finds nothing left to do.
  public func close() {
    isClosed = true
    failAll(.closed) { _ in true }
    balancer.close()
  }

  /// Whether a backend has the call, or had it; false when it only waits, and when it has ended.
  public func isSent(_ number: UInt32) -> Bool { pending[number]?.isSent ?? false }

  /// Hands queued calls to backends with room, in their order, skipping those that have ended.
  private func sendQueued() {
    while let number = queue.first, !isClosed {
      if let kept = pending.kept(number) {
        guard let connection = kept.lend({ balancer.send($0, number) }) else { return }
        queue.leave()
        pending.update(number) {
          $0.moves(to: connection, at: loop.now)
          if !kept.isRepeatable { $0.kept = nil }
        }
        repeats.sent(number, kept)
      }
      queue.removeFirst()
    }
  }

  // MARK: What connections tell

  /// A message came from a backend.
  func received(_ message: borrowing ReceivedMessage, from connection: BackendConnection) {
    guard let (number, isException) = message.count > 0 ? CallHeader.readReply(message[0]) : nil else {
      return countMalformed(connection)
    }
    guard let call = pending.remove(number) else {
      heard(connection)
      guard let late = counters.lateReplies.came(number, at: loop.now) else { return }
      return latencies.ended(late.measurement, after: late.latency)
    }
    // Calls are numbered without regard to backends, so a backend can guess the others' numbers: only one that has the call may answer.
    guard call.connection === connection || call.kept?.second === connection else {
      pending.insert(number, call)
      return countMalformed(connection)
    }
    heard(connection)
    if call.measurement != 0 { latencies.ended(call.measurement, after: loop.now - call.sent) }
    ended(call, at: connection)
    guard message.count == 2 else {
      countMalformed(connection)
      return call.handler.failed(CallFailure(.badReply, sent: true))
    }
    currentReply.begin(connection, call, message[0])
    call.replied(message, isException, options.longestReply, options.longestShortReply)
    currentReply.end()
  }

  /// Any reply, a late one too, shows that the backend hears.
  private func heard(_ connection: BackendConnection) {
    connection.replied()
    guard connection.isSuspect else { return }
    balancer.replied(connection)
    sendQueued()
  }

  /// A full backend has room again.
  func hasRoom() {
    balancer.update()
    sendQueued()
  }

  /// A backend's connection stands, is gone, or does not come to be.
  func changed(_ connection: BackendConnection, _ event: ConnectionEvent) {
    balancer.changed(connection)
    if event == .disconnected { lost(connection) }
    sendQueued()
  }

  /// A libzmq call of a connection failed.
  func failed(_ connection: BackendConnection, _ error: ZMQError) {
    logger.report(error, endpoints: [connection.endpoint])
  }

  private func countMalformed(_ connection: BackendConnection) {
    connection.sentGarbage()
    if counters.malformed.increment() {
      logger.reportMalformed(counters.malformedReplies, endpoints: [connection.endpoint])
    }
  }

  // MARK: The ends of calls

  /// A call's deadline has passed, or the time that it may wait.
  public func fired(_ deadline: Timer) { if !pending.extend(deadline.tag, self, on: loop) { expire(deadline.tag) } }

  /// Ends a call now, as if its deadline had passed. Its handler is told before this returns.
  public func expire(_ number: UInt32) {
    guard let call = take(number) else { return }
    guard let connection = call.connection else { return fail(call, .queueTimeout) }
    counters.timeouts += 1
    counters.lateReplies.expect(number, sent: call.sent, call.measurement)
    let silence = connection.silence(called: call.called, sent: call.sent, answeredBefore: call.answeredBefore)
    let isSilence = silence.waited >= options.leastSilence
    connection.callTimedOut(isSilence: isSilence)
    if connection.timeoutsSinceReplacement >= options.timeoutsBeforeReplacement, balancer.replace(connection) {
      counters.replacedConnections += 1
    }
    if isSilence { failed(connection, sent: call.sent) }
    sendQueued()
    call.handler.timedOut(silence)
  }

  /// A connection is gone, with what was sent on it.
  private func lost(_ connection: BackendConnection) {
    if connection.sentCalls > 0 { failed(connection, sent: loop.now) }
    for number in pending.numbers(where: { $0.connection === connection || $0.kept?.second === connection }) {
      guard var call = pending.remove(number) else { continue }
      if let other = call.kept?.endSecond() {
        // The copy at the other one lives.
        if call.connection === connection { call.moves(to: other, at: loop.now) }
        left(connection)
      } else if let kept = call.kept, repeats.mayRetry(kept), queue.enter(number, pending) {
        repeats.retry(kept)
        counters.retriedCalls += 1
        left(connection)
        call.moves(to: nil, at: loop.now)
      } else {
        ended(call, at: call.connection)
        fail(call, .backendLost)
        continue
      }
      pending.insert(number, call)
    }
    if balancer.connected.isEmpty, !options.waitsForBackend { failWaiting(.noBackend) }
  }

  /// A call that was sent at `sent` counts against the endpoint of its connection.
  private func failed(_ connection: BackendConnection, sent: Instant) {
    balancer.failed(connection, sent: sent)
    if balancer.callable.isEmpty, !balancer.connected.isEmpty { failWaiting(.breakerOpen) }
  }

  /// A second copy of a call is due.
  func secondIsDue(_ number: UInt32) {
    guard let call = pending[number], let kept = call.kept, let first = call.connection else { return }
    let isSent = repeats.hedge(kept) { kept.lend { balancer.send($0, number, besides: first) } }
    if isSent { counters.hedgedCalls += 1 }
  }

  /// Fails the calls that wait and were never sent. Those that were may wait until their deadline.
  private func failWaiting(_ code: CallFailure.Code) { failAll(code) { !$0.isSent } }

  private func failAll(_ code: CallFailure.Code, where holds: (PendingCall) -> Bool) {
    for number in pending.numbers(where: holds) { if let call = take(number) { fail(call, code) } }
  }

  /// Tells the end of a call that waits or is sent. One that waits, but was sent before, was lost.
  private func fail(_ call: PendingCall, _ code: CallFailure.Code) {
    let code = call.connection == nil && call.isSent && code != .closed ? .backendLost : code
    if code == .queueTimeout { counters.queueTimeouts += 1 }
    call.handler.failed(
      CallFailure(code, sent: call.isSent, retryAfter: code == .breakerOpen ? balancer.untilNextTry : nil))
  }

  private func take(_ number: UInt32) -> PendingCall? {
    guard let call = pending.remove(number) else { return nil }
    ended(call, at: call.connection)
    return call
  }

  /// Takes a call out of every account it is in, but for `pending`: it has ended at that connection, or waited.
  private func ended(_ call: PendingCall, at connection: BackendConnection?) {
    loop.cancel(call.deadline)
    inFlight.leave()
    if let connection { left(connection) } else { queue.leave() }
    if let kept = call.kept, let other = repeats.ended(kept, at: connection, first: call.connection) {
      other.callCancelled()
      left(other)
    }
  }

  /// A connection has a call less.
  private func left(_ connection: BackendConnection) {
    connection.callEnded()
    balancer.callEnded(connection)
  }
}
