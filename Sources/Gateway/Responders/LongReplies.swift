import HTTPServer
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Makes the answers of replies that are longer than `http.limits.inline`, beside the shard: transcoding may take seconds, and all
/// else on the shard would wait for it.
///
/// The reply is kept, not copied, and counts in `http.limits.memory`; when there is no room for it, the caller is told that, as with an
/// answer that cannot be kept. All shards share one queue, so such replies wait for each other and for nothing else. Meanwhile the
/// request waits in a `PendingTranscoding` in place of its `PendingReply`.
struct LongReplies {
  private let shared: SharedService
  private let reader: ReplyReader
  private let loop: Loop

  init(_ shared: SharedService, _ reader: ReplyReader, on loop: Loop) {
    self.shared = shared
    self.reader = reader
    self.loop = loop
  }

  /// Answers the request in a later turn.
  func answer(_ request: GatewayRequest, with reply: LongReply, to method: MethodName) {
    guard let held = HeldReply(reply, in: shared.memory) else {
      return request.answer(.noMemory(forAnswer: reply.body.count))
    }
    let work = LongReplyWork(held, reader, method, isTagged: request.isFetch, at: request.occurrence)
    let pending = PendingTranscoding(request, work, until: reply.deadline, on: loop)
    request.waits(for: pending)
    // The request holds the object, and lets go of it when it is answered or its client leaves. Safe: only the shard's thread looks
    // at it, in what is submitted.
    nonisolated(unsafe) weak let waiting = pending
    beside { [memory = shared.memory] reactor in
      guard let answer = work.run() else { return }
      // Until the exchange counts it.
      memory.take(answer.count)
      reactor.submit {
        memory.give(answer.count)
        waiting?.finished(answer)
      }
    }
  }

  /// Does work on the thread beside the shard. Its result may be submitted to the reactor it is given.
  func beside(_ work: @escaping @Sendable (Reactor) -> Void) {
    shared.transcoding.add { [reactor = loop.reactor] in
      if let reactor { work(reactor) }
    }
  }
}

/// A request whose answer is made of a long reply. The call's deadline goes on.
private final class PendingTranscoding: PendingWork, TimerHandler {
  // The request holds this object, and abandons it before it is freed.
  private unowned let request: GatewayRequest
  private let work: LongReplyWork
  private let loop: Loop
  private var deadline: Timer?

  init(_ request: GatewayRequest, _ work: LongReplyWork, until deadline: Instant, on loop: Loop) {
    self.request = request
    self.work = work
    self.loop = loop
    self.deadline = loop.schedule(at: deadline, self)
  }

  func finished(_ answer: LongAnswer) {
    guard let timer = deadline.take() else { return }
    loop.cancel(timer)
    switch answer {
    case .result(let json, let tag): request.answer(result: json.bytes, tag: tag, keptBy: json)
    case .problem(let problem, let document): request.answer(problem, document: document.bytes, keptBy: document)
    }
  }

  func fired(_ timer: Timer) {
    deadline = nil
    work.cancel()
    request.answer(.replyTakesTooLong)
  }

  func cancel() {
    if let timer = deadline.take() { loop.cancel(timer) }
    work.cancel()
  }
}

/// What is made of a long reply.
private enum LongAnswer: Sendable {
  /// The result, with its tag if it was asked for.
  case result(KeptBytes, tag: String?)
  case problem(Problem, KeptBytes)

  /// Bytes of what the client will get.
  var count: Int {
    switch self {
    case .result(let bytes, _), .problem(_, let bytes): bytes.bytes.count
    }
  }
}

/// Bytes that nobody changes any more.
private final class KeptBytes: Sendable {
  private let buffer: ByteBuffer

  init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }

  /// Valid for as long as this object lives.
  var bytes: UnsafeRawBufferPointer { buffer.withUnsafeBytes { $0 } }
}

/// A reply that counts in the memory for as long as it is held.
final class HeldReply: Sendable {
  let reply: LongReply
  private let memory: MemoryBudget

  /// Nil when there is no room for it.
  init?(_ reply: LongReply, in memory: MemoryBudget) {
    guard memory.hasRoom(for: reply.body.count) else { return nil }
    memory.take(reply.body.count)
    self.reply = reply
    self.memory = memory
  }

  deinit { memory.give(reply.body.count) }
}

/// A long reply, and how it becomes an answer: once, on any thread, unless it is cancelled first.
private final class LongReplyWork: Sendable {
  /// Nil when it was taken or is not wanted any more.
  private let held: Guarded<HeldReply?>
  private let reader: ReplyReader
  private let method: MethodName
  private let isTagged: Bool
  private let occurrence: Problem.Occurrence

  init(
    _ held: HeldReply, _ reader: ReplyReader, _ method: MethodName, isTagged: Bool, at occurrence: Problem.Occurrence
  ) {
    self.held = Guarded(held)
    self.reader = reader
    self.method = method
    self.isTagged = isTagged
    self.occurrence = occurrence
  }

  /// Lets the reply go, unless it is being read already.
  func cancel() { _ = held.withLock { $0.take() } }

  /// Makes the answer; nil when nobody wants it. The reply is freed before it returns.
  func run() -> LongAnswer? {
    guard let taken = held.withLock({ $0.take() }) else { return nil }
    // Its memory counts for as long as it is read.
    defer { withExtendedLifetime(taken) {} }
    let reply = taken.reply
    do throws(TranscodingError) {
      return try reply.body.withUnsafeBytes { body throws(TranscodingError) in
        var buffer = ByteBuffer()
        if reply.isException { return problem(try reader.problem(body, calling: method, &buffer)) }
        try reader.writer.transcode(body, into: &buffer)
        let tag = isTagged ? buffer.withUnsafeBytes(EntityTag.of) : nil
        return .result(KeptBytes(buffer), tag: tag)
      }
    } catch {
      return problem(Problem(reply: error))
    }
  }

  private func problem(_ problem: Problem) -> LongAnswer {
    let problem = problem.at(occurrence)
    var document = ByteBuffer()
    problem.json(prefix: occurrence.prefix).withUnsafeBytes { document.append($0) }
    return .problem(problem, KeptBytes(document))
  }
}
