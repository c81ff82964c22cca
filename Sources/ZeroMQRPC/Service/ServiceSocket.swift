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
  /// How long replies wait before they are offered again.
  private static let betweenOffers = Duration.milliseconds(5)
  /// Clients that waiting replies are offered to at a time.
  private static let clientsPerOffer = 256

  private let pattern: RPCService.Pattern
  private let concurrency: Int
  private let logger: Logger
  private let loop: Loop
  private let socket: LoopSocket
  private weak var service: RPCService?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var running = 0
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
    options.ipv6 = true
    options.linger = .milliseconds(200)
    let kind: SocketKind =
      switch pattern {
      case .rpc: .router
      case .pipeline: .pull
      case .pubsub: .subscribe
      }
    socket = try LoopSocket(kind, options: options, messagesPerTurn: Self.messagesPerTurn, in: context, on: loop)
    socket.delegate = self
    if case .pubsub(let topics) = pattern {
      for topic in topics { try socket.subscribe(Array(topic.utf8)) }
    }
  }

  func bind(_ endpoint: Endpoint) throws(ZMQError) -> Endpoint { try socket.bind(endpoint) }

  func close() {
    socket.close()
    if let nextOffer { loop.cancel(nextOffer) }
    nextOffer = nil
  }

  // MARK: Calls

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    guard let service else { return close() }
    guard let (reply, first) = parts(message) else { return countMalformed("it has not the frames of a call") }
    do throws(RemoteException) {
      let call = try IncomingCall(
        method: message[first], arguments: message[first + 1], keywords: message[first + 2], reply: reply)
      running += 1
      socket.isReading = running < concurrency
      service.assumeIsolated { $0.run(call) }
    } catch {
      countMalformed(error.description)
      if let reply { send(.failure(error), to: reply) }
    }
  }

  /// One call has ended.
  func finished() {
    running -= 1
    socket.isReading = true
  }

  /// The way back to the caller, where there is one, and the first of the three last frames: name, arguments, keywords.
  private func parts(_ message: borrowing ReceivedMessage) -> (IncomingCall.Reply?, Int)? {
    let count = message.count
    switch pattern {
    case .rpc:
      guard (5...Self.mostFrames).contains(count), let number = CallHeader.readRequest(message[count - 4]) else {
        return nil
      }
      var envelope: [[UInt8]] = []
      for index in 0..<(count - 4) { envelope.append(Array(message[index])) }
      return (.init(envelope: envelope, number: number), count - 3)
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
    guard service != nil else { return close() }
    let gone = backlog.offer(clients: Self.clientsPerOffer) { offer($0) }
    if gone > 0 { countUndeliverable(gone, "its client is gone") }
    nextOffer = backlog.count > 0 ? loop.schedule(at: loop.now + Self.betweenOffers, self) : nil
  }

  private func offer(_ frames: [[UInt8]]) -> ReplyBacklog.Outcome {
    do throws(ZMQError) {
      return try socket.send(frames) ? .sent : .refused
    } catch {
      if error.code != .unreachable { failed(error, on: socket) }
      return .gone
    }
  }

  func failed(_ error: ZMQError, on socket: LoopSocket) { logger.report(error, endpoints: socket.bindings) }

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
