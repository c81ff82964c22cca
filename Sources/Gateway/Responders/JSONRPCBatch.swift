import MessagePack
import ZeroMQRPC

/// The calls of one JSON-RPC document while they are under way, and their outcomes so far. It answers the request when the last call
/// has ended, in the order of the document.
///
/// Outcomes that wait for the others count in `http.limits.memory`; one that has no room becomes an error in its place. A notification
/// is a call whose end nobody waits for.
final class JSONRPCBatch: PendingWork {
  /// What one request of the document is answered with.
  private enum Answer {
    case pending
    /// A whole answer.
    case written([UInt8])
    case outcome(CallOutcome, id: [UInt8])
  }

  private let upstream: RPCUpstream
  private let occurrence: Problem.Occurrence
  private let request: GatewayRequest
  private let isSingle: Bool
  private var size = 0
  /// One for each request that is to be answered.
  private var answers: [Answer] = []
  private var calls: [Call] = []
  private var missing = 0
  private var notificationsTaken = 0
  /// Why a notification was not taken.
  private var refusal: Problem?

  init(_ request: GatewayRequest, _ upstream: RPCUpstream, isSingle: Bool) {
    self.request = request
    self.upstream = upstream
    self.isSingle = isSingle
    occurrence = request.occurrence
  }

  /// Sends one call, or notes at once what it is answered with. Its arguments lie in the buffer.
  func add(_ item: JSONRPCDocument.Item, in buffer: borrowing ByteBuffer, timeout: Duration) {
    switch item {
    case .invalid(let id):
      let fault = JSONRPCFault(
        .invalidRequest, "A request has \"jsonrpc\": \"2.0\", a \"method\", and perhaps \"params\" and an \"id\".")
      answers.append(.written(fault.answer(id: id)))
    case .call(let method, let frames, nil):
      do throws(Problem) {
        _ = try upstream.call(
          try upstream.method(method), frames, in: buffer, timeout: timeout, replyTo: JSONRPCNotification())
        notificationsTaken += 1
      } catch {
        refusal = error
      }
    case .call(let method, let frames, let id?):
      let place = answers.count
      answers.append(.pending)
      missing += 1
      do throws(Problem) {
        let call = Call(try upstream.method(method), of: upstream, at: occurrence) { self.ended($0, id, at: place) }
        try call.start(frames, in: buffer, timeout: timeout)
        calls.append(call)
      } catch {
        note(error, id, at: place)
      }
    }
  }

  /// All were added: waits for what is under way, or answers. Throws when there was nothing but notifications, and none was taken.
  func start() throws(Problem) {
    if answers.isEmpty, notificationsTaken == 0, let refusal { throw refusal }
    if missing == 0 { finish() } else { request.waits(for: self) }
  }

  /// A call has ended.
  private func ended(_ outcome: CallOutcome, _ id: [UInt8], at place: Int) {
    // All of them will be joined, and are there twice then.
    if request.hasRoom(forAnswer: size + outcome.body.count) {
      note(outcome, id, at: place)
    } else {
      note(.noMemory(forAnswer: outcome.body.count), id, at: place)
    }
    if missing == 0 { finish() }
  }

  private func note(_ problem: Problem, _ id: [UInt8], at place: Int) {
    note(CallOutcome(problem, at: occurrence, in: upstream.memory), id, at: place)
  }

  private func note(_ outcome: CallOutcome, _ id: [UInt8], at place: Int) {
    answers[place] = .outcome(outcome, id: id)
    missing -= 1
    size += outcome.body.count
  }

  private func finish() {
    calls = []
    guard !answers.isEmpty else {
      return request.answer(204, "", UnsafeRawBufferPointer(start: nil, count: 0))
    }
    var json = ByteBuffer(capacity: size + 64 * answers.count)
    if !isSingle { json.append(UInt8(ascii: "[")) }
    for place in answers.indices {
      if place > 0 { json.append(UInt8(ascii: ",")) }
      write(answers[place], to: &json)
      // Each is let go of when it is copied.
      answers[place] = .pending
    }
    if !isSingle { json.append(UInt8(ascii: "]")) }
    let body = KeptBytes(json, in: upstream.memory)
    request.answer(200, "application/json", body.bytes, keptBy: body)
  }

  private func write(_ answer: Answer, to json: inout ByteBuffer) {
    switch answer {
    case .pending: break
    case .written(let bytes): bytes.withUnsafeBytes { json.append($0) }
    case .outcome(let outcome, let id):
      if let problem = outcome.problem {
        let fault = JSONRPCFault(problem, document: outcome.body.bytes)
        fault.answer(id: id).withUnsafeBytes { json.append($0) }
      } else {
        json.append(#"{"jsonrpc":"2.0","result":"#)
        json.append(outcome.body.bytes)
        json.append(#","id":"#)
        id.withUnsafeBytes { json.append($0) }
        json.append("}")
      }
    }
  }

  /// The client is gone: notifications go on.
  func cancel() {
    for call in calls { call.cancel() }
    calls = []
  }
}

/// A call whose end nobody waits for.
private final class JSONRPCNotification: ReplyHandler {
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {}
  func replied(_ reply: LongReply) {}
  func failed(_ failure: CallFailure) {}
}
