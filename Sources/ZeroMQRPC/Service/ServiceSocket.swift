import Glibc
import MessagePack
import Reactor
import ZeroMQ

/// The socket of a service, confined to its loop: messages in, answers out.
final class ServiceSocket: SocketDelegate {
  private static let messagesPerTurn = 64

  /// Messages that are no calls.
  private(set) var malformed = 0
  /// Answers to clients that are gone or do not read.
  private(set) var undeliverable = 0
  private let pattern: RPCService.Pattern
  private let concurrency: Int
  private let socket: Socket
  private weak var service: RPCService?
  private let process = UInt16(truncatingIfNeeded: getpid())
  private let random = UInt16.random(in: .min ... .max)
  private var running = 0
  private var watch: SocketWatch?
  private var frames = ReceivedMessage()
  private var body = ByteBuffer()

  init(
    _ pattern: RPCService.Pattern, concurrency: Int, in context: Context, on loop: Loop, service: RPCService
  ) throws {
    self.pattern = pattern
    self.concurrency = concurrency
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
  }

  func socketTurn() {
    for _ in 0..<Self.messagesPerTurn where running < concurrency {
      guard (try? frames.receive(from: socket)) == true else { return }
      guard let service else { return close() }
      guard let call = read() else {
        // Nobody can be answered: there is no number to answer to.
        malformed += 1
        continue
      }
      running += 1
      service.assumeIsolated { $0.run(call) }
    }
  }

  func wantsTurn(_ readiness: Socket.Readiness) -> Bool { running < concurrency && readiness.contains(.input) }

  /// One call has ended.
  func finished() {
    running -= 1
    watch?.touched()
  }

  /// The last frames are the call; in request-reply all before them is the way back.
  private func read() -> IncomingCall? {
    guard frames.count <= ReceivedMessage.capacity else { return nil }
    let first: Int
    var reply: IncomingCall.Reply?
    switch pattern {
    case .rpc:
      guard frames.count >= 5, let number = CallHeader.readRequest(frames[frames.count - 4]) else { return nil }
      first = frames.count - 3
      reply = .init(envelope: (0..<(frames.count - 4)).map { Array(frames[$0]) }, number: number)
    case .pipeline:
      guard frames.count == 3 else { return nil }
      first = 0
    case .pubsub:
      guard frames.count == 4 else { return nil }
      first = 1
    }
    let unpacker = Unpacker()
    guard let method = String(validating: frames[first], as: UTF8.self),
      let arguments = try? unpacker.unpack(frames[first + 1]), let keywords = try? unpacker.unpack(frames[first + 2])
    else { return nil }
    return IncomingCall(method: method, arguments: arguments, keywords: keywords, reply: reply)
  }

  func send(_ outcome: Result<Value, RemoteError>, to reply: IncomingCall.Reply) {
    body.removeAll()
    var isException = false
    do {
      switch outcome {
      case .success(let value): try Packer().pack(value, into: &body)
      case .failure(let error):
        isException = true
        try Packer().pack(error.body, into: &body)
      }
    } catch {
      // What cannot be packed is answered with why, as aiozmq does.
      isException = true
      body.removeAll()
      try? Packer().pack(RemoteError.type(error.message).body, into: &body)
    }
    let sent = withUnsafeTemporaryAllocation(byteCount: CallHeader.replySize, alignment: 8) { header in
      CallHeader.write(reply.number, process: process, random: random, time: CallHeader.unixTime(), to: header)
      header[CallHeader.replySize - 1] = isException ? 1 : 0
      return send(reply.envelope, UnsafeRawBufferPointer(header))
    }
    if !sent { undeliverable += 1 }
    watch?.touched()
  }

  private func send(_ envelope: [[UInt8]], _ header: UnsafeRawBufferPointer) -> Bool {
    do {
      // A client that is gone is an error, and one that does not read a refusal: both before anything was sent.
      for frame in envelope {
        guard try frame.withUnsafeBytes({ try socket.send($0, more: true) }) else { return false }
      }
      guard try socket.send(header, more: true) else { return false }
      return try body.withUnsafeBytes { try socket.send($0, more: false) }
    } catch {
      return false
    }
  }
}
