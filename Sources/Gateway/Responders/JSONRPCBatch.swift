import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// The calls of one JSON-RPC document while they are under way, and their answers so far. It answers the request when the last call
/// has ended, in the order of the document.
///
/// Answers that wait for the others count in `http.limits.memory`; one that has no room becomes an error in its place. A notification
/// is a call whose end nobody waits for.
final class JSONRPCBatch: PendingWork {
  let upstream: RPCUpstream
  let occurrence: Problem.Occurrence
  private let request: GatewayRequest
  private let isSingle: Bool
  private let share: MemoryShare
  private var size = 0
  /// One for each request that is to be answered, once it has ended.
  private var answers: [[UInt8]?] = []
  private var calls: [JSONRPCCall] = []
  private var missing = 0
  private var notificationsTaken = 0
  /// Why a notification was not taken.
  private var refusal: Problem?

  init(_ request: GatewayRequest, _ upstream: RPCUpstream, isSingle: Bool) {
    self.request = request
    self.upstream = upstream
    self.isSingle = isSingle
    occurrence = request.occurrence
    share = MemoryShare(of: upstream.memory)
  }

  /// Sends one call, or notes at once what it is answered with. Its arguments lie in the buffer.
  func add(_ item: JSONRPCDocument.Item, in buffer: borrowing ByteBuffer, asking timeout: Duration?) {
    switch item {
    case .invalid(let id):
      let fault = JSONRPCFault(
        .invalidRequest, "A request has \"jsonrpc\": \"2.0\", a \"method\", and perhaps \"params\" and an \"id\".")
      answers.append(fault.answer(id: id))
    case .call(let method, let frames, nil):
      do throws(Problem) {
        _ = try send(method, frames, in: buffer, timeout) { _ in JSONRPCNotification() }
        notificationsTaken += 1
      } catch {
        refusal = error
      }
    case .call(let method, let frames, let id?):
      let place = answers.count
      answers.append(nil)
      missing += 1
      do throws(Problem) {
        let (call, number) = try send(method, frames, in: buffer, timeout) { JSONRPCCall(self, place, $0, id: id) }
        call.number = number
        calls.append(call)
      } catch {
        note(JSONRPCFault(error, at: occurrence).answer(id: id), at: place)
      }
    }
  }

  private func send<Handler: ReplyHandler>(
    _ method: String, _ frames: CallFrames, in buffer: borrowing ByteBuffer, _ timeout: Duration?,
    to handler: (MethodName) -> Handler
  ) throws(Problem) -> (Handler, UInt32) {
    guard let name = MethodName(method) else {
      throw Problem(.notExposed, "\"\(method)\" is no name of a method that can be called.")
    }
    try upstream.policy.check(name)
    let handler = handler(name)
    let timeout = upstream.settings(of: name).timeout(asked: timeout)
    let number = try frames.withFrames(in: buffer) { arguments, keywords throws(Problem) in
      do throws(CallFailure) {
        return try name.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
          try upstream.engine.call(
            BorrowedCall(method: method, arguments: arguments, keywords: keywords), timeout: timeout,
            isRepeatable: upstream.isRepeatable(name), replyTo: handler)
        }
      } catch {
        throw Problem(error)
      }
    }
    return (handler, number)
  }

  /// All were added: waits for what is under way, or answers. Throws when there was nothing but notifications, and none was taken.
  func start() throws(Problem) {
    if answers.isEmpty, notificationsTaken == 0, let refusal { throw refusal }
    if missing == 0 { finish() } else { request.waits(for: self) }
  }

  /// A call has ended.
  func ended(_ answer: [UInt8], at place: Int) {
    note(answer, at: place)
    if missing == 0 { finish() }
  }

  private func note(_ answer: [UInt8], at place: Int) {
    answers[place] = answer
    missing -= 1
    size += answer.count
    share.force(size)
  }

  /// Whether there is room for one more answer of that length, and for all so far once more: they are joined when the last has come.
  func hasRoom(for bytes: Int) -> Bool { request.hasRoom(forAnswer: size + bytes) }

  private func finish() {
    calls = []
    share.force(0)
    guard !answers.isEmpty else {
      return request.answer(204, "", UnsafeRawBufferPointer(start: nil, count: 0))
    }
    let parts = answers.compactMap { $0 }
    answers = []
    if isSingle { return request.answer(200, "application/json", parts[0]) }
    var body: [UInt8] = []
    body.reserveCapacity(size + parts.count + 1)
    for part in parts {
      body.append(UInt8(ascii: body.isEmpty ? "[" : ","))
      body += part
    }
    body.append(UInt8(ascii: "]"))
    request.answer(200, "application/json", body)
  }

  /// The client is gone: notifications go on.
  func cancel() {
    for call in calls { call.cancel() }
    calls = []
  }
}

/// One call of a document.
final class JSONRPCCall: ReplyHandler, TimerHandler {
  /// Nil when the call has ended, or its answer is not wanted any more.
  private var batch: JSONRPCBatch?
  private let place: Int
  private let method: MethodName
  private let id: [UInt8]
  /// Its number at the engine, to cancel it by.
  var number: UInt32 = 0
  /// The deadline of a call whose long reply is being read.
  private var deadline: Timer?

  init(_ batch: JSONRPCBatch, _ place: Int, _ method: MethodName, id: [UInt8]) {
    self.batch = batch
    self.place = place
    self.method = method
    self.id = id
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    guard let batch else { return }
    finished(Self.answer(body, isException, calling: method, id: id, batch.upstream.replies, at: batch.occurrence))
  }

  /// Too long for this thread: another one makes the answer of it.
  func replied(_ reply: LongReply) {
    guard let batch else { return }
    guard let held = HeldReply(reply, in: batch.upstream.memory) else {
      self.batch = nil
      return batch.ended(noMemory(reply.body.count, batch), at: place)
    }
    let (method, id, replies, occurrence) = (method, id, batch.upstream.replies, batch.occurrence)
    deadline = batch.upstream.loop.schedule(at: reply.deadline, self)
    // Safe: only the shard's thread looks at it, in what is submitted.
    nonisolated(unsafe) let call = self
    batch.upstream.longReplies.beside { reactor in
      let answer = held.reply.body.withUnsafeBytes {
        Self.answer($0, held.reply.isException, calling: method, id: id, replies, at: occurrence)
      }
      reactor.submit { call.finished(answer) }
    }
  }

  private func finished(_ answer: [UInt8]) {
    guard let batch = batch.take() else { return }
    if let deadline { batch.upstream.loop.cancel(deadline) }
    let isKept = batch.hasRoom(for: answer.count)
    batch.ended(isKept ? answer : noMemory(answer.count, batch), at: place)
  }

  func failed(_ failure: CallFailure) {
    guard let batch = batch.take() else { return }
    batch.ended(JSONRPCFault(Problem(failure), at: batch.occurrence).answer(id: id), at: place)
  }

  /// The long reply could not be read in time.
  func fired(_ timer: Timer) {
    guard let batch = batch.take() else { return }
    batch.ended(JSONRPCFault(.replyTakesTooLong, at: batch.occurrence).answer(id: id), at: place)
  }

  /// The client is gone.
  func cancel() {
    guard let batch = batch.take() else { return }
    if let deadline { batch.upstream.loop.cancel(deadline) }
    batch.upstream.engine.cancel(number)
  }

  private func noMemory(_ bytes: Int, _ batch: JSONRPCBatch) -> [UInt8] {
    JSONRPCFault(.noMemory(forAnswer: bytes), at: batch.occurrence).answer(id: id)
  }

  /// What a reply is answered with.
  private static func answer(
    _ body: UnsafeRawBufferPointer, _ isException: Bool, calling method: MethodName, id: [UInt8],
    _ replies: ReplyReader, at occurrence: Problem.Occurrence
  ) -> [UInt8] {
    var buffer = ByteBuffer()
    do throws(TranscodingError) {
      if isException {
        let problem = try replies.problem(body, calling: method, &buffer)
        return JSONRPCFault(problem, at: occurrence).answer(id: id)
      }
      buffer.append(#"{"jsonrpc":"2.0","result":"#)
      try replies.writer.transcode(body, into: &buffer)
      buffer.append(#","id":"#)
      id.withUnsafeBytes { buffer.append($0) }
      buffer.append("}")
      return buffer.withUnsafeBytes { Array($0) }
    } catch {
      return JSONRPCFault(Problem(reply: error), at: occurrence).answer(id: id)
    }
  }
}

/// A call whose end nobody waits for.
private final class JSONRPCNotification: ReplyHandler {
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {}
  func replied(_ reply: LongReply) {}
  func failed(_ failure: CallFailure) {}
}
