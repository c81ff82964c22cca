import DequeModule
import Glibc
public import Logging
public import Reactor
public import ZeroMQ

/// Calls the methods of aiozmq services: a connection for each endpoint, and a second one while a silent one is replaced; a deadline for
/// each call.
///
/// What happens to a call: it gets a number and a deadline, and goes at once to the connection that the `Balancer` chooses. When
/// every connected backend is full (libzmq refused a message for it), it waits in a queue until one has room; when the queue is full
/// too, it is refused. Exactly one of these ends it:
///
/// - its reply comes, usable or not, from the connection that has the call; what another connection says of it is dropped;
/// - its deadline passes: `timeout` when a backend has it, `queueTimeout` when it still waits. A late reply is dropped;
/// - its connection goes: `backendLost`, for it may have run. Calls that wait go to another backend, and fail with `noBackend` when
///   none is left;
/// - `cancel` or `close`.
///
/// When some calls of one connection have timed out, each after `RPCOptions.leastSilence`, and no reply came between them, a fresh
/// connection takes over from it.
///
/// Confined to a loop's thread. Because the queue is the engine's and libzmq is handed only what a connected backend has room for,
/// every failure tells whether the call can have run.
public final class CallEngine: TimerHandler {
  private struct PendingCall {
    let handler: any ReplyHandler
    let deadline: Timer
    let expiry: Instant
    /// The connection it was sent on; nil while it waits.
    var connection: BackendConnection?
    /// When it was sent, or began to wait.
    var since: Instant
    /// Its bytes while it waits.
    var waiting: WaitingCall?
  }

  /// What has happened since the start.
  public struct Counters: Sendable, Hashable {
    /// Replies to calls that had ended before.
    public var lateReplies = 0
    /// Messages that are no replies, or replies to calls that another backend has.
    public var malformedReplies = 0
    /// Connections replaced after a row of timeouts.
    public var replacedConnections = 0
  }

  /// What has happened since the start.
  public var counters: Counters {
    .init(lateReplies: lateReplies, malformedReplies: malformed.count, replacedConnections: replacedConnections)
  }
  /// Calls that wait or are sent.
  public var callsUnderWay: Int { pending.count }
  /// How many endpoints have a connected backend.
  public var connectedEndpoints: Int { balancer.connected.count }
  /// Whether all have one. False after `close()`.
  public var isConnected: Bool { !isClosed && balancer.connected.count >= balancer.endpointCount }

  private let logger: Logger
  private let options: RPCOptions
  private let longestShortReply: Int
  private let context: Context
  private let loop: Loop
  /// The service's calls under way on all threads, waiting and sent ones.
  private let inFlight: SharedLimit
  /// Those of them that wait.
  private let waiting: SharedLimit
  private let memory: MemoryBudget?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private let balancer = Balancer()
  private var pending = PendingCalls<PendingCall>()
  /// Calls that no connected backend had room for, in their order. Some may have ended.
  private var queue: Deque<UInt32> = []
  private var isClosed = false
  private var lateReplies = 0
  private var malformed = PowerOfTwoCounter()
  private var replacedConnections = 0

  /// Begins to connect to each endpoint. Throws when an endpoint cannot be used at all.
  ///
  /// An endpoint gets as many calls as its weight says for each one of an endpoint of weight 1; that is the weight where `weights` says
  /// nothing. `waiting` bounds those of the calls under way that wait (default: it does not). The bytes of calls that wait or are being
  /// sent count in `memory`, if there is one.
  public init(
    connect endpoints: [Endpoint], weights: [Endpoint: Int] = [:], inFlight: SharedLimit,
    waiting: SharedLimit? = nil, memory: MemoryBudget? = nil, options: RPCOptions = .init(), in context: Context,
    on loop: Loop, logger: Logger = Logger(label: "zmq.rpc")
  ) throws(ZMQError) {
    self.memory = memory
    self.logger = logger
    self.options = options
    longestShortReply = min(options.longestShortReply, options.longestReply)
    self.context = context
    self.loop = loop
    self.inFlight = inFlight
    self.waiting = waiting ?? SharedLimit(limit: inFlight.limit)
    for endpoint in endpoints { balancer.add(try connection(to: endpoint, weight: weights[endpoint] ?? 1)) }
  }

  private func connection(to endpoint: Endpoint, weight: Int) throws(ZMQError) -> BackendConnection {
    try BackendConnection(
      endpoint, weight: weight, options: options, memory: memory, engine: self, in: context, on: loop)
  }

  /// Calls a method; the bytes are copied.
  ///
  /// Returns the number of the call, to cancel it by; its handler hears nothing before that. Throws what is known at once: no
  /// backend is connected, too many calls are under way or wait, there is no memory for it, or the engine is closed.
  public func call(
    _ call: BorrowedCall, timeout: Duration, replyTo handler: any ReplyHandler
  ) throws(CallFailure) -> UInt32 {
    if isClosed { throw CallFailure(.closed, sent: false) }
    guard !balancer.connected.isEmpty else { throw CallFailure(.noBackend, sent: false) }
    guard memory?.hasRoom(for: call.count) ?? true else { throw CallFailure(.memoryFull, sent: false) }
    guard inFlight.enter() else { throw CallFailure(.overloaded, sent: false) }
    let number = pending.nextNumber()
    // While calls wait, no connected backend has room: as soon as one has, `sendQueued` empties the queue first.
    let connection = queue.isEmpty ? send(call, number) : nil
    if connection == nil {
      guard waiting.enter() else {
        inFlight.leave()
        throw CallFailure(.queueFull, sent: false)
      }
      // Calls that ended in the queue are skipped when their turn comes; when it does not come, they are let go here.
      if queue.count > 2 * pending.count + 64 { queue.removeAll { pending[$0] == nil } }
      queue.append(number)
    }
    let expiry = loop.now + timeout
    pending.insert(
      number,
      PendingCall(
        handler: handler, deadline: loop.schedule(at: expiry, self, tag: number), expiry: expiry,
        connection: connection, since: loop.now,
        waiting: connection == nil ? WaitingCall(copying: call, memory: memory) : nil))
    return number
  }

  /// Forgets a call: its handler hears no more, and a late reply is dropped. The backend is not told; it has no way to be.
  public func cancel(_ number: UInt32) { take(number)?.connection?.callCancelled() }

  /// Fails what is under way and closes the sockets. A second call finds nothing left to do.
  public func close() {
    isClosed = true
    fail(.closed) { _ in true }
    queue.removeAll()
    balancer.close()
  }

  /// Whether a backend has the call; false when it waits, and when it has ended.
  public func isSent(_ number: UInt32) -> Bool { pending[number]?.connection != nil }

  // MARK: On the way out

  /// Hands queued calls to backends with room, in their order, skipping those that have ended.
  private func sendQueued() {
    while let number = queue.first {
      if let call = pending[number]?.waiting {
        guard let connection = call.lend({ send($0, number) }) else { return }
        waiting.leave()
        pending.update(number) {
          $0.connection = connection
          $0.since = loop.now
          $0.waiting = nil
        }
      }
      queue.removeFirst()
    }
  }

  /// Sends a call to a backend with room, and returns its connection; nil when none has any.
  private func send(_ call: BorrowedCall, _ number: UInt32) -> BackendConnection? {
    withUnsafeTemporaryAllocation(byteCount: CallHeader.requestSize, alignment: 8) { header in
      CallHeader.write(number, process: process, random: random, time: CallHeader.unixTime(), to: header)
      while let connection = balancer.next() {
        if connection.send(UnsafeRawBufferPointer(header), call) { return connection }
        // It reads too slowly and is full: the others take over until it has room again.
        balancer.update()
      }
      return nil
    }
  }

  // MARK: What connections tell

  /// A message came from a backend.
  func received(_ message: borrowing ReceivedMessage, from connection: BackendConnection) {
    guard let (number, isException) = message.count > 0 ? CallHeader.readReply(message[0]) : nil else {
      return countMalformed(connection)
    }
    let call = pending.remove(number)
    // Calls are numbered without regard to backends, so a backend can guess the others' numbers: only the one that has the call
    // may answer it. Of a call that has ended nobody has it; that is a late reply.
    if let call, call.connection !== connection {
      pending.insert(number, call)
      return countMalformed(connection)
    }
    // Any other reply, a late one too, shows that the backend hears.
    connection.owesNothing()
    guard let call else { return lateReplies += 1 }
    ended(call)
    guard message.count == 2 else {
      countMalformed(connection)
      return call.handler.failed(CallFailure(.badReply, sent: true))
    }
    if message[1].count <= longestShortReply { return call.handler.replied(message[1], isException: isException) }
    guard message[1].count <= options.longestReply else {
      return call.handler.failed(CallFailure(.replyTooLarge, sent: true))
    }
    call.handler.replied(LongReply(body: message.keep(1), isException: isException, deadline: call.expiry))
  }

  /// A full backend has room again.
  func hasRoom() {
    balancer.update()
    sendQueued()
  }

  /// A backend's connection stands, is gone, or does not come to be, which is only logged.
  func changed(_ connection: BackendConnection, _ event: ConnectionEvent) {
    balancer.changed(connection)
    logger.report(event, connected: balancer.connected.count, endpoints: [connection.endpoint])
    if event == .disconnected {
      fail(.backendLost) { $0 === connection }
      if balancer.connected.isEmpty { fail(.noBackend) { $0 == nil } }
    }
    sendQueued()
  }

  /// A libzmq call of a connection failed.
  func failed(_ connection: BackendConnection, _ error: ZMQError) {
    logger.report(error, endpoints: [connection.endpoint])
  }

  private func countMalformed(_ connection: BackendConnection) {
    if malformed.increment() { logger.reportMalformed(malformed.count, endpoints: [connection.endpoint]) }
  }

  // MARK: The ends of calls

  /// A call's deadline has passed.
  public func fired(_ deadline: Timer) { expire(deadline.tag) }

  /// Ends a call now, as if its deadline had passed. Its handler is told before this returns.
  public func expire(_ number: UInt32) {
    guard let call = take(number) else { return }
    guard let connection = call.connection else {
      return call.handler.failed(CallFailure(.queueTimeout, sent: false))
    }
    connection.callTimedOut(isSilence: loop.now - call.since >= options.leastSilence)
    if connection.timeoutsSinceReplacement >= options.timeoutsBeforeReplacement { replace(connection) }
    call.handler.failed(CallFailure(.timeout, sent: true))
  }

  /// Opens a fresh connection beside a silent one. The silent one is used until the fresh one stands, and closed when its calls
  /// have ended.
  private func replace(_ connection: BackendConnection) {
    connection.silenceNoted()
    guard balancer.mayReplace(connection, at: loop.now) else { return }
    logger.warning(
      "a backend is silent; a fresh connection is tried", metadata: ["endpoints": "\(connection.endpoint)"])
    do {
      balancer.replace(
        connection, by: try self.connection(to: connection.endpoint, weight: connection.weight), at: loop.now)
      replacedConnections += 1
    } catch {
      logger.error("no fresh connection", metadata: ["endpoints": "\(connection.endpoint)", "error": "\(error)"])
    }
  }

  private func fail(_ code: CallFailure.Code, where holds: (BackendConnection?) -> Bool) {
    for number in pending.numbers(where: { holds($0.connection) }) {
      guard let call = take(number) else { continue }
      call.handler.failed(CallFailure(code, sent: call.connection != nil))
    }
  }

  private func take(_ number: UInt32) -> PendingCall? {
    guard let call = pending.remove(number) else { return nil }
    ended(call)
    return call
  }

  /// Takes a call out of every account it is in, but for `pending`.
  private func ended(_ call: PendingCall) {
    loop.cancel(call.deadline)
    inFlight.leave()
    if let connection = call.connection {
      connection.callEnded()
      balancer.callEnded(connection)
    } else {
      waiting.leave()
    }
  }
}
