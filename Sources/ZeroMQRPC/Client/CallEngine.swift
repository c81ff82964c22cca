import DequeModule
import Glibc
public import Logging
public import Reactor
public import ZeroMQ

/// Who made a call. Exactly one of the two is called, on the client's thread, unless the call is cancelled.
public protocol ReplyHandler: AnyObject {
  /// The reply came: a result, or an exception `[name, args, repr]`, as one MessagePack value that is not yet validated. The
  /// bytes live for the time of this call only.
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool)
  /// There will be no reply.
  func failed(_ failure: CallFailure)
}

/// Calls the methods of aiozmq services: one DEALER for each endpoint, a deadline for each call.
///
/// Confined to a loop's thread. The client keeps its own queue and hands libzmq only what a connected backend has room
/// for, so it knows of every call whether it can have run.
public final class CallEngine: TimerHandler {
  struct Pending {
    let caller: any ReplyHandler
    let deadline: Timer
    /// Who has it; nil while it is queued.
    var peer: BackendConnection?
    /// The four frames of a queued call.
    var queued: [[UInt8]] = []
  }

  /// What has happened since the start.
  public struct Counters: Sendable, Hashable {
    /// Replies to calls that had ended before.
    public var lateReplies = 0
    /// Messages that are no replies.
    public var malformedReplies = 0
    /// Connections replaced after a row of deadlines.
    public var replacedConnections = 0
  }

  /// What has happened since the start.
  public internal(set) var counters = Counters()
  /// Calls that are queued or sent.
  public var callsUnderWay: Int { pending.count }
  /// How many endpoints have a connected backend.
  public var connectedPeers: Int { available.count }
  /// Whether there are as many as endpoints.
  public var isConnected: Bool { available.count >= peers.count }
  let logger: Logger
  let options: RPCOptions
  let context: Context
  let loop: Loop
  private let inFlight: SharedLimit
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var isClosed = false
  var generator = SystemRandomNumberGenerator()
  var pending = PendingCalls<Pending>()
  /// Calls that no connected backend had room for, in their order.
  var queue: Deque<UInt32> = []
  /// One for each endpoint.
  var peers: [BackendConnection] = []
  /// Those with a connected backend.
  var available: [BackendConnection] = []
  /// Those of them that have room.
  var ready: [BackendConnection] = []
  /// When each endpoint's connection was last replaced.
  var replacements: [String: Instant] = [:]
  /// Those that have been replaced and end with their last call.
  var retired: [BackendConnection] = []

  /// Begins to connect to each endpoint. Throws when an endpoint cannot be used at all.
  public init(
    connect endpoints: [String], inFlight: SharedLimit, options: RPCOptions = .init(), in context: Context,
    on loop: Loop,
    logger: Logger = Logger(label: "zmq.rpc")
  ) throws {
    self.logger = logger
    self.options = options
    self.context = context
    self.loop = loop
    self.inFlight = inFlight
    for endpoint in endpoints { peers.append(try BackendConnection(endpoint, client: self)) }
  }

  /// Calls a method. The arguments are one packed array, the keywords one packed map; both are copied.
  ///
  /// Returns the number of the call, to cancel it by. Throws what is known at once: no backend, or too many calls.
  public func call(
    _ method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer, keywords: UnsafeRawBufferPointer,
    timeout: Duration, caller: any ReplyHandler
  ) throws(CallFailure) -> UInt32 {
    if isClosed { throw CallFailure(.closed, sent: false) }
    guard !available.isEmpty else { throw CallFailure(.noBackend, sent: false) }
    guard inFlight.enter() else { throw CallFailure(.overloaded, sent: false) }
    let number = pending.insert { number in
      Pending(caller: caller, deadline: loop.schedule(at: loop.now + timeout, self, tag: number))
    }
    withUnsafeTemporaryAllocation(byteCount: CallHeader.requestSize, alignment: 8) { header in
      CallHeader.write(number, process: process, random: random, time: CallHeader.unixTime(), to: header)
      let frames = (UnsafeRawBufferPointer(header), method, arguments, keywords)
      if let peer = send(frames.0, frames.1, frames.2, frames.3) {
        pending.update(number) { $0.peer = peer }
      } else {
        // Calls that ended in the queue are skipped when their turn comes; when it does not come, they are let go here.
        if queue.count > 2 * pending.count + 64 { queue.removeAll { pending[$0] == nil } }
        queue.append(number)
        pending.update(number) { $0.queued = [Array(frames.0), Array(frames.1), Array(frames.2), Array(frames.3)] }
      }
    }
    return number
  }

  /// Forgets a call: its caller hears no more, and a late reply is dropped. The backend is not told; it has no way to be.
  public func cancel(_ number: UInt32) { _ = take(number) }

  /// Fails what is under way and closes the sockets.
  public func close() {
    isClosed = true
    fail(.closed) { _ in true }
    for peer in peers + retired { peer.close() }
    peers = []
    available = []
    ready = []
    retired = []
  }

  // MARK: Replies and deadlines

  func received(_ frames: borrowing ReceivedMessage, from peer: BackendConnection) {
    guard let (number, isException) = frames.count > 0 ? CallHeader.readReply(frames[0]) : nil else {
      return countMalformed(peer)
    }
    // Any reply, a late one too, shows that the backend hears.
    peer.unanswered = 0
    peer.deadlinesInARow = 0
    guard let call = take(number) else {
      counters.lateReplies += 1
      return
    }
    guard frames.count == 2 else {
      countMalformed(peer)
      return call.caller.failed(CallFailure(.badReply, sent: true))
    }
    guard frames[1].count <= options.longestReply else {
      return call.caller.failed(CallFailure(.replyTooLarge, sent: true))
    }
    call.caller.replied(frames[1], isException: isException)
  }

  public func fired(_ deadline: Timer) {
    guard let call = take(deadline.tag) else { return }
    if let peer = call.peer {
      peer.unanswered += 1
      peer.deadlinesInARow += 1
      if peer.deadlinesInARow >= options.deadlinesBeforeReconnect { replace(peer) }
      call.caller.failed(CallFailure(.timeout, sent: true))
    } else {
      call.caller.failed(CallFailure(.queueTimeout, sent: false))
    }
  }

  private func countMalformed(_ peer: BackendConnection) {
    counters.malformedReplies += 1
    logger.reportMalformed(counters.malformedReplies, endpoints: [peer.endpoint])
  }

  /// Takes a call out of every account it is in.
  private func take(_ number: UInt32) -> Pending? {
    guard let call = pending.remove(number) else { return nil }
    loop.cancel(call.deadline)
    inFlight.leave()
    if let peer = call.peer {
      peer.inFlight -= 1
      if peer.isRetired, peer.inFlight == 0 { discard(peer) }
    }
    return call
  }

  func fail(_ code: CallFailure.Code, where holds: (BackendConnection?) -> Bool) {
    for number in pending.numbers(where: { holds($0.peer) }) {
      guard let call = take(number) else { continue }
      call.caller.failed(CallFailure(code, sent: call.peer != nil))
    }
  }
}
