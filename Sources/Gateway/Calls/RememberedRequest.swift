import HTTPServer
import MessagePack
import Reactor
import ZeroMQRPC

/// What a request asks for with `Idempotency-Key` and `Prefer: respond-async`: that what it begins be remembered beyond its answer.
///
/// A request without either header never comes here.
struct RememberedRequest {
  private let request: GatewayRequest
  private let key: IdempotencyKeys.Key?
  private let fingerprint: Int
  private let wantsNoWait: Bool

  /// Nil when the request asks for neither. `mayNotWait` says whether it may be answered before its call has ended.
  init?(_ request: GatewayRequest, mayNotWait: Bool) throws(Problem) {
    let text = try request.header(.idempotencyKey).map { bytes throws(Problem) in try Self.key(bytes) }
    wantsNoWait = mayNotWait && request.header(.prefer) != nil && Self.prefersNoWait(request.values(of: .prefer))
    guard text != nil || wantsNoWait else { return nil }
    self.request = request
    key = text.map {
      IdempotencyKeys.Key(
        subject: request.caller?.subject, place: "\(request.method.name) \(request.occurrence.path)", text: $0)
    }
    var hasher = Hasher()
    hasher.combine(bytes: request.rawQuery)
    hasher.combine(request.rawQuery.count)
    hasher.combine(bytes: request.body)
    fingerprint = hasher.finalize()
  }

  /// Refuses a request with a key that is none.
  static func check(_ request: GatewayRequest) throws(Problem) {
    if let bytes = request.header(.idempotencyKey) { _ = try key(bytes) }
  }

  /// Makes a call, unless it was made before; its arguments lie in the buffer.
  func call(
    _ method: MethodName, of upstream: RPCUpstream, _ frames: CallFrames, in buffer: borrowing ByteBuffer,
    asking timeout: Duration?
  ) throws(Problem) {
    let (calls, books, occurrence) = (request.calls, request.callBooks, request.occurrence)
    try once { () throws(Problem) in
      if wantsNoWait {
        let release = key.map { key in { @Sendable [keys = calls.keys] in keys.release(key) } }
        let id = try calls.kept.start(
          method, of: upstream, at: occurrence, frames, in: buffer, asking: timeout, for: request.caller?.subject,
          countedIn: books, forgotten: release)
        if let key { calls.keys.settle(key, started: id) }
        return request.answer(started: id)
      }
      let taker = AnswerTaker(request)
      let call = Call(method, of: upstream, at: occurrence, as: request.resultFormat) { [key] outcome in
        books.endAlone(outcome.problem)
        if let key {
          // What never left may be tried again under the same key.
          let isUnsent = outcome.problem.map { !$0.sent } ?? false
          if isUnsent { calls.keys.release(key) } else { calls.keys.settle(key, .outcome(outcome), on: upstream.loop) }
        }
        taker.answer(outcome)
      }
      try call.start(frames, in: buffer, asking: timeout)
      books.begin()
      request.waits(for: taker)
    }
  }

  /// Hands a message over, unless that was done before; its arguments lie in the buffer.
  func send(
    _ topic: [UInt8]?, _ method: MethodName, to upstream: OneWayUpstream, _ frames: CallFrames,
    in buffer: borrowing ByteBuffer
  ) throws(Problem) {
    let (keys, loop) = (request.calls.keys, upstream.loop)
    try once { () throws(Problem) in
      guard upstream.isDistant else {
        try upstream.send(topic, method, frames, in: buffer)
        if let key { keys.settle(key, .accepted, on: loop) }
        return request.answerAccepted()
      }
      let taker = ReceiptTaker(request)
      try upstream.handOver(topic, method, frames, in: buffer) { [key] problem in
        if let key { if problem == nil { keys.settle(key, .accepted, on: loop) } else { keys.release(key) } }
        taker.answer(problem)
      }
      request.waits(for: taker)
    }
  }

  private func once(_ begin: () throws(Problem) -> Void) throws(Problem) {
    guard let key else { return try begin() }
    let keys = request.calls.keys
    if case .repeated(let answer) = try keys.claim(key, fingerprint: fingerprint) { return replay(answer) }
    do throws(Problem) {
      try begin()
    } catch {
      keys.release(key)
      throw error
    }
  }

  private func replay(_ answer: IdempotencyKeys.Answer) {
    let headers: [(StaticString, String)] = [("Idempotency-Replayed", "true")]
    switch answer {
    case .outcome(let outcome): request.answer(outcome, headers: headers)
    case .accepted: request.answerAccepted(headers: headers)
    case .started(let id): request.answer(started: id, headers: headers)
    }
  }

  /// Whether the lines of `Prefer`, which are one list, name `respond-async` (RFC 7240, 4.1).
  private static func prefersNoWait(_ lines: [UnsafeRawBufferPointer]) -> Bool {
    lines.lazy.flatMap { $0.split(separator: UInt8(ascii: ",")) }.contains { preference in
      let token = preference.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "=") }
      return UnsafeRawBufferPointer(rebasing: token).trimmed.isCaseless("respond-async")
    }
  }

  /// Reads a key: a string of RFC 8941, in quotes, as the draft has it; or what stands there, as most clients write it.
  private static func key(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> String {
    var text: [UInt8] = []
    var isValid = true
    if bytes.first == UInt8(ascii: "\""), bytes.count > 1 {
      var isEscaped = false
      for byte in bytes.dropFirst().dropLast() {
        if !isEscaped, byte == UInt8(ascii: "\\") {
          isEscaped = true
          continue
        }
        let needsEscape = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        isValid = isValid && 0x20...0x7E ~= byte && isEscaped == needsEscape
        isEscaped = false
        text.append(byte)
      }
      isValid = isValid && !isEscaped && bytes.last == UInt8(ascii: "\"")
    } else {
      text = Array(bytes)
      isValid = text.allSatisfy { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\"") }
    }
    guard isValid, 1...255 ~= text.count else { throw .badKey }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The client that waits for the answer of a call which goes on without it.
private final class AnswerTaker: PendingWork {
  private var request: GatewayRequest?

  init(_ request: GatewayRequest) { self.request = request }

  func answer(_ outcome: CallOutcome) {
    guard let request = request.take() else { return }
    request.notes?.add(outcome.times)
    request.answer(outcome)
  }

  func cancel() { request = nil }
}
