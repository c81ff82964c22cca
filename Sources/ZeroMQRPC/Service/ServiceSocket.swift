import Glibc
import Logging
import MessagePack
import Reactor
import ZeroMQ

/// The socket of a service, confined to its loop: messages in, replies out. Methods that are not `async` it runs at once; the others are
/// the core's.
final class ServiceSocket: LoopSocketDelegate, TimerHandler {
  private struct ReadyReply {
    let outcome: Outcome
    let reply: IncomingCall.Reply
    /// Seconds of Unix time.
    let time: Double
  }

  private static let messagesPerTurn = 64
  /// Frames of the longest message that is taken: a call, its caller's identity, and those of the proxies on the way.
  private static let mostFrames = 32
  /// Bytes of what stands before a call and goes back with its reply.
  private static let longestEnvelope = 64 << 10
  /// Bytes of a name. A longer one is none of ours: it is answered with its beginning.
  private static let longestName = 4_096
  /// How long a reply waits at most for those to the calls that came with its own, in seconds, beside the method that runs then.
  private static let longestGathering = 0.000_25
  /// How long replies wait before they are offered again.
  private static let betweenOffers = Duration.milliseconds(5)
  /// Clients that waiting replies are offered to at a time.
  private static let clientsPerOffer = 256

  private let pattern: CallPattern
  private let handler: any Handler
  /// The handler's own methods: to ask it takes longer.
  private let methods: MethodTable
  private let runner: MethodRunner
  private let options: ServiceOptions
  private let limits: MessageLimits
  private let accounts: ServiceAccounts
  private let watch: InlineWatch?
  private let loop: Loop
  private let socket: LoopSocket
  private weak var core: ServiceCore?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var running = 0
  private var bytes = 0
  private var isClosing = false
  // These change while no other code runs.
  @exclusivity(unchecked) private var envelope = Envelope()
  /// Messages are being handed over. The replies to them leave together, so that libzmq sends them together.
  @exclusivity(unchecked) private var isReceiving = false
  /// Those of them whose methods run beside others. The core takes them together.
  @exclusivity(unchecked) private var begun: [MethodCall] = []
  @exclusivity(unchecked) private var ready: [ReadyReply] = []
  @exclusivity(unchecked) private var backlog: ReplyBacklog
  private var nextOffer: Timer?

  init(
    _ pattern: CallPattern, _ handler: any Handler, _ runner: MethodRunner, _ options: ServiceOptions,
    _ accounts: ServiceAccounts, _ watch: InlineWatch?, in context: Context, on loop: Loop, core: ServiceCore
  ) throws {
    self.pattern = pattern
    self.handler = handler
    methods = MethodTable((handler as? Methods)?.own ?? [:], longest: Self.longestName)
    self.runner = runner
    self.options = options
    limits = MessageLimits(options)
    self.accounts = accounts
    self.watch = watch
    self.loop = loop
    self.core = core
    backlog = ReplyBacklog(repliesPerClient: options.waitingReplies, bytes: options.waitingReplyBytes)
    var settings = options.socket
    settings.longestFrame = settings.longestFrame ?? 4 * min(options.longestMessage, 1 << 40)
    socket = try LoopSocket(
      pattern.socket, options: settings, messagesPerTurn: Self.messagesPerTurn, in: context, on: loop)
    socket.delegate = self
    for topic in pattern.topics { try socket.subscribe(topic) }
  }

  /// The socket, for its endpoints and options.
  var inner: LoopSocket { socket }

  /// Nothing waits to be sent.
  var hasSentAll: Bool { backlog.count == 0 && ready.isEmpty }

  /// Takes no more calls.
  func stopReading() {
    isClosing = true
    socket.isReading = false
  }

  func close() {
    if socket.isOpen { sendReady() }
    socket.close()
    accounts.waitingReplies.set(0)
    if let nextOffer { loop.cancel(nextOffer) }
    nextOffer = nil
  }

  // MARK: Calls

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    isReceiving = true
    guard let (number, first) = parts(message) else { return countMalformed("it has not the frames of a call") }
    let reply = number.map { IncomingCall.Reply(envelope: envelope, number: $0) }
    do throws(RemoteException) {
      let known = methods.find(message[first])
      let name = if let known { known.name } else { try text(message[first]) }
      let call = IncomingCall(
        name: name, arguments: try PackedArguments(message, at: first + 1, limits), reply: reply)
      guard let method = known?.method ?? method(for: call) else { return }
      let context = method.needsCaller ? context(of: message, name) : nil
      if case .inline(let body) = method.body, call.arguments.isShort {
        watch?.began(name)
        let outcome = runner.run(body, of: method, for: call, context ?? .untold)
        if let late = watch?.ended() { countOverrun(call, by: late) }
        answer(reply, outcome)
      } else {
        let job = MethodCall(method, call, context ?? .untold)
        begun.append(job)
        began(job)
      }
    } catch {
      countMalformed(error.description)
      if let reply { send(Outcome(error), to: reply) }
    }
  }

  private func context(of message: borrowing ReceivedMessage, _ name: String) -> CallContext {
    CallContext(
      name: name, peerAddress: PeerAddress.number(message.property("Peer-Address")),
      topic: pattern.hasTopics ? Array(message[0]) : nil, deadline: options.timeout.map { .now + $0 })
  }

  private func text(_ name: UnsafeRawBufferPointer) throws(RemoteException) -> String {
    if name.count <= Self.longestName, let text = String(validUTF8: name) { return text }
    throw .notFound(String(decoding: name.prefix(Self.longestName), as: UTF8.self))
  }

  /// What the handler has for the call; nil when there is no such thing, which is answered.
  private func method(for call: IncomingCall) -> Method? {
    do {
      guard let method = try handler.find(call.name) else { throw RemoteException.notFound(call.name) }
      return method
    } catch {
      answer(call.reply, runner.notFound(call, error))
      return nil
    }
  }

  private func countOverrun(_ call: IncomingCall, by duration: Duration) {
    guard accounts.overran.increment() else { return }
    options.logger.error(
      "a method that is not async was stuck: it came back after its time, and nobody was served meanwhile",
      metadata: [
        "method": "\(call.name)", "late-by": "\(duration)", "so-far": .stringConvertible(accounts.overran.count),
      ])
  }

  func messagesReceived(on socket: LoopSocket) {
    isReceiving = false
    sendReady()
    guard !begun.isEmpty || isClosing else { return }
    core?.assumeIsolated { [begun] in
      $0.begin(begun)
      $0.endIfIdle()
    }
    begun.removeAll(keepingCapacity: true)
  }

  /// A method will run beside others.
  private func began(_ job: MethodCall) {
    running += 1
    bytes += job.byteCount
    updateReading()
  }

  /// It has ended.
  func ended(_ job: MethodCall) {
    running -= 1
    bytes -= job.byteCount
    updateReading()
  }

  private func updateReading() {
    let reads = !isClosing && running < options.concurrency && bytes < options.bytesUnderWay
    if socket.isReading != reads { socket.isReading = reads }
  }

  /// The number of the call, where there is a way back to the caller, which is in `envelope` then; and the first of the three last frames: name,
  /// arguments, keywords.
  private func parts(_ message: borrowing ReceivedMessage) -> (number: UInt32?, first: Int)? {
    let count = message.count
    switch pattern {
    case .rpc:
      guard (5...Self.mostFrames).contains(count), let number = CallHeader.readRequest(message[count - 4]) else {
        return nil
      }
      // Mostly the caller is that of the message before.
      if !envelope.isThat(of: message, count: count - 4) {
        guard let other = Envelope(message, count: count - 4, atMost: Self.longestEnvelope) else { return nil }
        envelope = other
      }
      return (number, count - 3)
    case .pipeline: return count == 3 ? (nil, 0) : nil
    case .pubsub: return count == 4 ? (nil, 1) : nil
    }
  }

  private func countMalformed(_ reason: String) {
    guard accounts.malformed.increment() else { return }
    options.logger.warning(
      "Cannot unpack a call", metadata: ["reason": "\(reason)", "so-far": .stringConvertible(accounts.malformed.count)])
  }

  // MARK: Replies

  /// Tells a caller what became of its call, if it is to know.
  func answer(_ reply: consuming IncomingCall.Reply?, _ outcome: consuming Outcome) {
    if outcome.isMalformed { countMalformed("its arguments cannot be unpacked") }
    if let reply { send(outcome, to: reply) }
  }

  /// Sends a reply, or keeps it until the client has room for it.
  private func send(_ outcome: consuming Outcome, to reply: consuming IncomingCall.Reply) {
    let reply = ReadyReply(outcome: outcome, reply: reply, time: CallHeader.unixTime())
    guard isReceiving else { return send(reply) }
    ready.append(reply)
    if reply.time - ready[0].time > Self.longestGathering { sendReady() }
  }

  private func sendReady() {
    for reply in ready { send(reply) }
    ready.removeAll(keepingCapacity: true)
  }

  private func send(_ ready: ReadyReply) {
    withUnsafeTemporaryAllocation(byteCount: CallHeader.replySize, alignment: 8) { header in
      CallHeader.write(ready.reply.number, process: process, random: random, time: ready.time, to: header)
      header[CallHeader.replySize - 1] = ready.outcome.isException ? 1 : 0
      send(UnsafeRawBufferPointer(header), ready.outcome, ready.reply.envelope)
    }
  }

  private func send(_ header: UnsafeRawBufferPointer, _ outcome: Outcome, _ envelope: Envelope) {
    if backlog.count == 0 || !backlog.holds(envelope.frames[0]) {
      let sent = outcome.body.withUnsafeBytes { body in
        Result { () throws(ZMQError) in try envelope.send(header, body, on: socket) }
      }
      switch offered(sent) {
      case .sent: return
      case .gone: return countUndeliverable(1, "its client is gone")
      case .refused: break
      }
    }
    guard backlog.append(envelope.frames + [Array(header), outcome.body]) else {
      return countUndeliverable(1, "too many wait for its client")
    }
    countWaiting()
    if nextOffer == nil { nextOffer = loop.schedule(at: loop.now + Self.betweenOffers, self) }
  }

  func fired(_ timer: Timer) {
    guard let core else { return close() }
    let gone = backlog.offer(clients: Self.clientsPerOffer) { frames in
      offered(Result { () throws(ZMQError) in try socket.send(frames) })
    }
    if gone > 0 { countUndeliverable(gone, "its client is gone") }
    countWaiting()
    nextOffer = backlog.count > 0 ? loop.schedule(at: loop.now + Self.betweenOffers, self) : nil
    if nextOffer == nil { core.assumeIsolated { $0.endIfIdle() } }
  }

  private func offered(_ sent: Result<Bool, ZMQError>) -> ReplyBacklog.Outcome {
    switch sent {
    case .success(let isSent): return isSent ? .sent : .refused
    case .failure(let error):
      if error.code != .unreachable { failed(error, on: socket) }
      return .gone
    }
  }

  func failed(_ error: ZMQError, on socket: LoopSocket) {
    options.logger.report(error, endpoints: socket.bindings)
    if !socket.isOpen { core?.assumeIsolated { $0.lostSocket(error) } }
  }

  private func countWaiting() { accounts.waitingReplies.set(backlog.count) }

  private func countUndeliverable(_ count: Int, _ reason: String) {
    var isTold = false
    for _ in 0..<count where accounts.undeliverable.increment() { isTold = true }
    guard isTold else { return }
    options.logger.warning(
      "a reply is dropped",
      metadata: ["reason": "\(reason)", "so-far": .stringConvertible(accounts.undeliverable.count)])
  }
}
