import Glibc
import Logging
import MessagePack
import Reactor
import ZeroMQ

/// The socket of a service, confined to its loop: messages in, replies out.
final class ServiceSocket: LoopSocketDelegate, TimerHandler {
  private static let messagesPerTurn = 64
  /// Frames of the longest message that is taken: a call, its caller's identity, and those of the proxies on the way.
  private static let mostFrames = 32
  /// Bytes of what stands before a call and goes back with its reply.
  private static let longestEnvelope = 64 << 10
  /// Bytes of a name. A longer one is none of ours: it is answered with its beginning.
  private static let longestName = 4_096
  /// How long replies wait before they are offered again.
  private static let betweenOffers = Duration.milliseconds(5)
  /// Clients that waiting replies are offered to at a time.
  private static let clientsPerOffer = 256

  private let pattern: CallPattern
  private let options: ServiceOptions
  private let loop: Loop
  private let socket: LoopSocket
  private weak var core: ServiceCore?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var running = 0
  private var bytes = 0
  private var isClosing = false
  private var backlog: ReplyBacklog
  private var nextOffer: Timer?
  private var malformed = PowerOfTwoCounter()
  private var undeliverable = PowerOfTwoCounter()

  init(_ pattern: CallPattern, _ options: ServiceOptions, in context: Context, on loop: Loop, core: ServiceCore) throws
  {
    self.pattern = pattern
    self.options = options
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
  var hasSentAll: Bool { backlog.count == 0 }

  func count(into counters: inout ServiceCounters) {
    counters.malformed = malformed.count
    counters.undeliverable = undeliverable.count
    counters.waitingReplies = backlog.count
  }

  /// Takes no more calls.
  func stopReading() {
    isClosing = true
    socket.isReading = false
  }

  func close() {
    socket.close()
    if let nextOffer { loop.cancel(nextOffer) }
    nextOffer = nil
  }

  // MARK: Calls

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    guard let core else { return close() }
    guard let (reply, first) = parts(message) else { return countMalformed("it has not the frames of a call") }
    do throws(RemoteException) {
      guard message[first].count <= Self.longestName, let name = String(validating: message[first], as: UTF8.self)
      else {
        throw .notFound(String(decoding: message[first].prefix(Self.longestName), as: UTF8.self))
      }
      let call = IncomingCall(
        context: CallContext(
          name: name, peerAddress: CallContext.address(message.property("Peer-Address")),
          topic: pattern.hasTopics ? Array(message[0]) : nil, deadline: options.timeout.map { .now + $0 }),
        arguments: try PackedArguments(message, at: first + 1, options), reply: reply)
      core.assumeIsolated { $0.take(call) }
    } catch {
      countMalformed(error.description)
      if let reply { send(Outcome(error), to: reply) }
    }
  }

  /// A method began that runs beside others.
  func began(_ call: IncomingCall) {
    running += 1
    bytes += call.arguments.byteCount
    updateReading()
  }

  /// It has ended.
  func ended(_ call: IncomingCall) {
    running -= 1
    bytes -= call.arguments.byteCount
    updateReading()
  }

  private func updateReading() {
    let reads = !isClosing && running < options.concurrency && bytes < options.bytesUnderWay
    if socket.isReading != reads { socket.isReading = reads }
  }

  /// The way back to the caller, where there is one, and the first of the three last frames: name, arguments, keywords.
  private func parts(_ message: borrowing ReceivedMessage) -> (IncomingCall.Reply?, Int)? {
    let count = message.count
    switch pattern {
    case .rpc:
      guard (5...Self.mostFrames).contains(count), let number = CallHeader.readRequest(message[count - 4]) else {
        return nil
      }
      var (envelope, bytes): ([[UInt8]], Int) = ([], 0)
      for index in 0..<(count - 4) {
        bytes += message[index].count
        guard bytes <= Self.longestEnvelope else { return nil }
        envelope.append(Array(message[index]))
      }
      return (.init(envelope: envelope, number: number), count - 3)
    case .pipeline: return count == 3 ? (nil, 0) : nil
    case .pubsub: return count == 4 ? (nil, 1) : nil
    }
  }

  func countMalformed(_ reason: String) {
    guard malformed.increment() else { return }
    options.logger.warning(
      "Cannot unpack a call", metadata: ["reason": "\(reason)", "so-far": "\(malformed.count)"])
  }

  // MARK: Replies

  /// Sends a reply, or keeps it until the client has room for it.
  func send(_ outcome: Outcome, to reply: IncomingCall.Reply) {
    var header = [UInt8](repeating: 0, count: CallHeader.replySize)
    header.withUnsafeMutableBytes {
      CallHeader.write(reply.number, process: process, random: random, time: CallHeader.unixTime(), to: $0)
    }
    header[CallHeader.replySize - 1] = outcome.isException ? 1 : 0
    let frames = reply.envelope + [header, outcome.body]
    if !backlog.holds(reply.envelope[0]) {
      switch offer(frames) {
      case .sent: return
      case .gone: return countUndeliverable(1, "its client is gone")
      case .refused: break
      }
    }
    guard backlog.append(frames) else { return countUndeliverable(1, "too many wait for its client") }
    if nextOffer == nil { nextOffer = loop.schedule(at: loop.now + Self.betweenOffers, self) }
  }

  func fired(_ timer: Timer) {
    guard let core else { return close() }
    let gone = backlog.offer(clients: Self.clientsPerOffer) { offer($0) }
    if gone > 0 { countUndeliverable(gone, "its client is gone") }
    nextOffer = backlog.count > 0 ? loop.schedule(at: loop.now + Self.betweenOffers, self) : nil
    if nextOffer == nil { core.assumeIsolated { $0.endIfIdle() } }
  }

  private func offer(_ frames: [[UInt8]]) -> ReplyBacklog.Outcome {
    do throws(ZMQError) {
      return try socket.send(frames) ? .sent : .refused
    } catch {
      if error.code != .unreachable { failed(error, on: socket) }
      return .gone
    }
  }

  func failed(_ error: ZMQError, on socket: LoopSocket) {
    options.logger.report(error, endpoints: socket.bindings)
    if !socket.isOpen { core?.assumeIsolated { $0.lostSocket(error) } }
  }

  private func countUndeliverable(_ count: Int, _ reason: String) {
    var isTold = false
    for _ in 0..<count where undeliverable.increment() { isTold = true }
    guard isTold else { return }
    options.logger.warning("a reply is dropped", metadata: ["reason": "\(reason)", "so-far": "\(undeliverable.count)"])
  }
}
