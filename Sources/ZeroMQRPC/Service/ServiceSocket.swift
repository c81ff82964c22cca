import Glibc
import Logging
import MessagePack
import Reactor
import ZeroMQ

/// The socket of a service, confined to its loop: messages in, replies out.
final class ServiceSocket: SocketDelegate, TimerHandler {
  private static let messagesPerTurn = 64
  /// How long replies wait before they are offered again.
  private static let betweenOffers = Duration.milliseconds(5)
  /// Clients that waiting replies are offered to at a time.
  private static let clientsPerOffer = 256

  private let pattern: RPCService.Pattern
  private let concurrency: Int
  private let logger: Logger
  private let loop: Loop
  private let socket: Socket
  private weak var service: RPCService?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var running = 0
  private var watch: SocketWatch?
  private var frames = ReceivedMessage()
  private var backlog = ReplyBacklog()
  private var nextOffer: Timer?
  private var malformed = PowerOfTwoCounter()
  private var undeliverable = PowerOfTwoCounter()

  /// What has happened since the start.
  var counters: RPCService.Counters {
    .init(malformed: malformed.count, undeliverable: undeliverable.count, waitingReplies: backlog.count)
  }

  init(
    _ pattern: RPCService.Pattern, concurrency: Int, logger: Logger, in context: Context, on loop: Loop,
    service: RPCService
  ) throws {
    self.pattern = pattern
    self.concurrency = concurrency
    self.logger = logger
    self.loop = loop
    self.service = service
    var options = SocketOptions()
    options.linger = .milliseconds(200)
    // While as many calls run as may, nothing is read and the mark is reached: no heartbeats.
    options.heartbeat = .zero
    switch pattern {
    case .rpc: socket = try Socket(.router, in: context, options: options)
    case .pipeline: socket = try Socket(.pull, in: context, options: options)
    case .pubsub(let topics):
      socket = try Socket(.subscribe, in: context, options: options)
      for topic in topics { try socket.subscribe(Array(topic.utf8)) }
    }
    watch = try SocketWatch(socket, on: loop, owner: self)
  }

  func bind(_ endpoint: String) throws(ZMQError) -> String { try socket.bind(endpoint) }

  func close() {
    watch?.cancel()
    watch = nil
    if let nextOffer { loop.cancel(nextOffer) }
    nextOffer = nil
  }

  // MARK: Calls

  func socketTurn() {
    for _ in 0..<Self.messagesPerTurn where running < concurrency {
      guard (try? frames.receive(from: socket)) == true else { return }
      received()
    }
  }

  private func received() {
    guard let service else { return close() }
    guard let (reply, first) = parts() else { return countMalformed("it has not the frames of a call") }
    do throws(RemoteException) {
      let call = try IncomingCall(
        method: frames[first], arguments: frames[first + 1], keywords: frames[first + 2], reply: reply)
      running += 1
      service.assumeIsolated { $0.run(call) }
    } catch {
      countMalformed(error.description)
      if let reply { send(.failure(error), to: reply) }
    }
  }

  func wantsTurn(_ readiness: Socket.Readiness) -> Bool { running < concurrency && readiness.contains(.input) }

  /// One call has ended.
  func finished() {
    running -= 1
    watch?.touched()
  }

  /// The way back to the caller, where there is one, and the first of the three last frames: name, arguments, keywords.
  private func parts() -> (IncomingCall.Reply?, Int)? {
    let count = frames.count
    switch pattern {
    case .rpc:
      guard count >= 5, let number = CallHeader.readRequest(frames[count - 4]) else { return nil }
      return (.init(envelope: (0..<(count - 4)).map { Array(frames[$0]) }, number: number), count - 3)
    case .pipeline: return count == 3 ? (nil, 0) : nil
    case .pubsub: return count == 4 ? (nil, 1) : nil
    }
  }

  private func countMalformed(_ reason: String) {
    guard malformed.increment() else { return }
    logger.warning(
      "Cannot unpack a call", metadata: ["reason": "\(reason)", "so-far": "\(malformed.count)"])
  }

  // MARK: Replies

  /// Sends a reply, or keeps it until the client has room for it.
  func send(_ outcome: Result<Value, RemoteException>, to reply: IncomingCall.Reply) {
    let (body, isException) = Self.body(outcome)
    var header = [UInt8](repeating: 0, count: CallHeader.replySize)
    header.withUnsafeMutableBytes {
      CallHeader.write(reply.number, process: process, random: random, time: CallHeader.unixTime(), to: $0)
    }
    header[CallHeader.replySize - 1] = isException ? 1 : 0
    let frames = reply.envelope + [header, body]
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
    let gone = backlog.offer(clients: Self.clientsPerOffer) { offer($0) }
    if gone > 0 { countUndeliverable(gone, "its client is gone") }
    nextOffer = backlog.count > 0 ? loop.schedule(at: loop.now + Self.betweenOffers, self) : nil
  }

  private func offer(_ frames: [[UInt8]]) -> ReplyBacklog.Outcome {
    defer { watch?.touched() }
    do {
      // A client that is gone is an error, and one that does not read a refusal: both before anything was sent.
      for (index, frame) in frames.enumerated() {
        let sent = try frame.withUnsafeBytes { try socket.send($0, more: index < frames.count - 1) }
        if !sent { return .refused }
      }
      return .sent
    } catch {
      return .gone
    }
  }

  /// The packed result; what cannot be packed is answered with why, as aiozmq does.
  private static func body(_ outcome: Result<Value, RemoteException>) -> (body: [UInt8], isException: Bool) {
    switch outcome {
    case .failure(let exception): return (exception.body, true)
    case .success(let value):
      do throws(TranscodingError) {
        return (try Packer().pack(value), false)
      } catch {
        return (RemoteException.type(error.message).body, true)
      }
    }
  }

  private func countUndeliverable(_ count: Int, _ reason: String) {
    var isTold = false
    for _ in 0..<count where undeliverable.increment() { isTold = true }
    guard isTold else { return }
    logger.warning("a reply is dropped", metadata: ["reason": "\(reason)", "so-far": "\(undeliverable.count)"])
  }
}

/// A call as it came in.
struct IncomingCall: Sendable {
  /// What has to go in front of the reply.
  struct Reply: Sendable {
    let envelope: [[UInt8]]
    let number: UInt32
  }

  let method: String
  let arguments: Value
  let keywords: Value
  /// nil in the one-way patterns.
  let reply: Reply?

  /// Unpacks a call. Throws what a caller who cannot be understood is answered: `NotFoundError` for a name that is no UTF-8,
  /// `ParametersError` for arguments that are no MessagePack, too deep or too many.
  init(
    method: UnsafeRawBufferPointer, arguments: UnsafeRawBufferPointer, keywords: UnsafeRawBufferPointer, reply: Reply?
  ) throws(RemoteException) {
    guard let name = String(validating: method, as: UTF8.self) else {
      throw .notFound(String(decoding: method, as: UTF8.self))
    }
    self.method = name
    do throws(TranscodingError) {
      self.arguments = try Unpacker().unpack(arguments)
      self.keywords = try Unpacker().unpack(keywords)
    } catch {
      throw .parameters("Cannot unpack the arguments: \(error.message)", class: "ValueError")
    }
    self.reply = reply
  }
}
