import DequeModule
import Glibc
import Reactor
import ZeroMQ

/// Who made a call. Exactly one of the two is called, on the client's thread, unless the call is cancelled.
public protocol Caller: AnyObject {
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
public final class RPCClient: Alarm {
  private struct Pending {
    let caller: any Caller
    let deadline: Deadline
    /// Who has it; nil while it is queued.
    var peer: Peer?
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
  public private(set) var counters = Counters()
  /// Calls that are queued or sent.
  public var callsUnderWay: Int { pending.count }
  /// How many endpoints have a connected backend.
  public var connectedPeers: Int { available.count }
  let options: RPCOptions
  let context: Context
  let loop: Loop
  private let inFlight: InFlight
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var generator = SystemRandomNumberGenerator()
  private var pending = PendingCalls<Pending>()
  private var queue: Deque<UInt32> = []
  private var peers: [Peer] = []
  private var available: [Peer] = []
  private var isClosed = false

  /// Begins to connect to each endpoint. Throws when an endpoint cannot be used at all.
  public init(
    connect endpoints: [String], inFlight: InFlight, options: RPCOptions = .init(), in context: Context, on loop: Loop
  ) throws {
    self.options = options
    self.context = context
    self.loop = loop
    self.inFlight = inFlight
    for endpoint in endpoints { peers.append(try Peer(endpoint, client: self)) }
  }

  /// Calls a method. The arguments are one packed array, the keywords one packed map; both are copied.
  ///
  /// Returns the number of the call, to cancel it by. Throws what is known at once: no backend, or too many calls.
  public func call(
    _ method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer, keywords: UnsafeRawBufferPointer,
    timeout: Duration, caller: any Caller
  ) throws(CallFailure) -> UInt32 {
    if isClosed { throw CallFailure(.closed, sent: false) }
    guard let peer = leastBusy() else { throw CallFailure(.noBackend, sent: false) }
    guard inFlight.enter() else { throw CallFailure(.overloaded, sent: false) }
    let number = pending.insert { number in
      Pending(caller: caller, deadline: loop.schedule(at: loop.now + timeout, self, tag: number))
    }
    withUnsafeTemporaryAllocation(byteCount: Header.requestSize, alignment: 8) { header in
      Header.write(number, process: process, random: random, time: Header.unixTime(), to: header)
      let frames = (UnsafeRawBufferPointer(header), method, arguments, keywords)
      if queue.isEmpty, peer.send(frames.0, frames.1, frames.2, frames.3) {
        pending.update(number) { $0.peer = peer }
      } else {
        // Calls that ended in the queue are skipped when their turn comes; when it does not come, they are let go here.
        if queue.count > 2 * pending.count + 64 { queue.removeAll { pending[$0] == nil } }
        queue.append(number)
        pending.update(number) { $0.queued = [Array(frames.0), Array(frames.1), Array(frames.2), Array(frames.3)] }
        for peer in available { peer.touched() }
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
    for peer in peers { peer.close() }
    peers = []
    available = []
  }

  // MARK: Replies and deadlines

  func received(_ frames: borrowing Frames) {
    guard let (number, isException) = frames.count > 0 ? Header.readReply(frames[0]) : nil else {
      counters.malformedReplies += 1
      return
    }
    guard let call = take(number) else {
      counters.lateReplies += 1
      return
    }
    call.peer?.deadlinesInARow = 0
    guard frames.count == 2 else {
      counters.malformedReplies += 1
      return call.caller.failed(CallFailure(.badReply, sent: true))
    }
    guard frames[1].count <= options.longestReply else {
      return call.caller.failed(CallFailure(.replyTooLarge, sent: true))
    }
    call.caller.replied(frames[1], isException: isException)
  }

  public func ring(_ deadline: Deadline) {
    guard let call = take(deadline.tag) else { return }
    if let peer = call.peer {
      peer.deadlinesInARow += 1
      if peer.deadlinesInARow >= options.deadlinesBeforeReconnect { replace(peer) }
      call.caller.failed(CallFailure(.timeout, sent: true))
    } else {
      call.caller.failed(CallFailure(.queueTimeout, sent: false))
    }
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

  private func fail(_ code: CallFailure.Code, where holds: (Peer?) -> Bool) {
    for number in pending.numbers(where: { holds($0.peer) }) {
      guard let call = take(number) else { continue }
      call.caller.failed(CallFailure(code, sent: call.peer != nil))
    }
  }

  // MARK: Queue

  var hasQueued: Bool { !queue.isEmpty }

  /// Hands queued calls to backends with room, in their order, skipping those that have ended.
  func sendQueued() {
    while let number = queue.first {
      if let call = pending[number] {
        guard let peer = leastBusy() else { return }
        let sent = call.queued.withFrames { peer.send($0, $1, $2, $3) }
        guard sent else { return }
        pending.update(number) {
          $0.peer = peer; $0.queued = []
        }
      }
      queue.removeFirst()
    }
  }

  // MARK: Backends

  /// The less busy of two connected backends drawn by chance; with one or two, simply the less busy.
  private func leastBusy() -> Peer? {
    guard available.count > 1 else { return available.first }
    var (first, second) = (0, 1)
    if available.count > 2 {
      first = Int.random(in: 0..<available.count, using: &generator)
      second = Int.random(in: 0..<(available.count - 1), using: &generator)
      if second >= first { second += 1 }
    }
    let (a, b) = (available[first], available[second])
    if a.inFlight == b.inFlight { return Bool.random(using: &generator) ? a : b }
    return a.inFlight < b.inFlight ? a : b
  }

  /// A peer's connection came or went.
  func changed(_ peer: Peer) {
    if peer.isUp, let old = peers.first(where: { $0.replacement === peer }) {
      old.replacement = nil
      peers.removeAll { $0 === old }
      peers.append(peer)
      old.isRetired = true
      retired.append(old)
      if old.inFlight == 0 { discard(old) }
    }
    available = peers.filter(\.isUp)
    if !peer.isUp { fail(.backendLost) { $0 === peer } }
    if available.isEmpty {
      fail(.noBackend) { $0 == nil }
      queue.removeAll()
    } else {
      sendQueued()
    }
  }

  private var retired: [Peer] = []

  private func discard(_ peer: Peer) {
    retired.removeAll { $0 === peer }
    peer.close()
  }

  /// Opens a fresh connection beside a silent one, which goes on until the fresh one stands and its own calls have ended.
  private func replace(_ peer: Peer) {
    peer.deadlinesInARow = 0
    guard !peer.isRetired, peer.replacement == nil, peer.isUp else { return }
    counters.replacedConnections += 1
    peer.replacement = try? Peer(peer.endpoint, client: self)
  }
}

extension [[UInt8]] {
  fileprivate func withFrames<R>(
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> R
  ) -> R {
    self[0].withUnsafeBytes { a in
      self[1].withUnsafeBytes { b in
        self[2].withUnsafeBytes { c in self[3].withUnsafeBytes { d in body(a, b, c, d) } }
      }
    }
  }
}
