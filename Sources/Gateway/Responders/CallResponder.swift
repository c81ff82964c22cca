import ConfigurationReader
import HTTPServer
import MessagePack
import Reactor
import ZeroMQRPC

/// `/rpc/{service}/{method}`: a call and its reply.
///
/// The arguments become MessagePack in the shard's buffer, and the engine sends them to a backend or queues them. The request
/// waits in a `PendingReply` until the engine tells it of the reply, or of why there will be none.
struct CallResponder: Responder {
  let upstream: RPCUpstream
  let method: MethodName

  init(service: String, method: MethodName, in upstreams: UpstreamTable) throws(Problem) {
    upstream = try upstreams.rpc(service)
    try upstream.policy.check(method)
    self.method = method
  }

  /// A method that callers reach.
  init(_ upstream: RPCUpstream, _ method: MethodName) {
    self.upstream = upstream
    self.method = method
  }

  var methods: HTTPMethod.Set { upstream.policy.isSafe(method) ? .fetchAndSubmit : .submit }

  var cost: Int { upstream.settings(of: method).cost }
  var kind: RouteKind { .rpc }
  func count(_ outcome: RequestOutcome) { upstream.count(method, outcome) }

  func refusal(of method: HTTPMethod) -> Problem {
    let allow = methods.allow
    if method == .get || method == .head {
      return Problem(.notSafe, "This method is called with POST; it is not declared safe.", allow: allow)
    }
    return Problem(.methodNotAllowed, "This path takes \(allow).", allow: allow)
  }

  /// What a GET is answered with is known when its query is.
  func begin(_ request: GatewayRequest) throws(Problem) { if !request.isFetch { try request.chooseResultFormat() } }

  func beginUnread(_ request: GatewayRequest) throws(Problem) {
    try Self.beginUnread(request, try request.query(.nothing, controls: Self.controls))
  }

  /// The same, for all that lead to a call.
  static func beginUnread(_ request: GatewayRequest, _ query: Query?) throws(Problem) {
    _ = try request.isBodyPacked(isUnread: true)
    _ = try askedTimeout(request, query)
    try RememberedRequest.check(request)
  }

  static let controls: Set<String> = [RequestTimeout.parameter]

  func respond(to request: GatewayRequest) throws(Problem) {
    let isPost = request.method == .post
    let query = try request.query(
      isPost ? .nothing : .arguments, controls: isPost ? Self.controls : Self.fetchControls)
    let buffers = request.buffers
    defer { buffers.clear() }
    let frames =
      isPost
      ? try request.transcodeBody(upstream.reader)
      : try (query ?? Query()).transcode(upstream.reader, into: &buffers.request)
    try call(request, query, frames)
  }

  /// Makes the call of which the request consists, with the arguments that lie in the shard's buffer.
  func call(_ request: GatewayRequest, _ query: Query?, _ frames: CallFrames) throws(Problem) {
    let asked = try Self.askedTimeout(request, query)
    let left = try request.timeLeft(asked, of: upstream.settings(of: method))
    var frames = frames
    try upstream.tell(method, of: request, asking: left, in: &frames, &request.buffers.request)
    if request.mayBeRemembered, let remembered = try RememberedRequest(request, mayNotWait: true) {
      return try remembered.call(method, of: upstream, frames, in: request.buffers.request, asking: left)
    }
    if request.isFetch, try fetch(request, query, frames, asking: asked, left: left) { return }
    try request.pendingReply.call(self, frames, asking: left)
  }

  /// How long the request gives a call; nil when it leaves that to the gateway.
  static func askedTimeout(_ request: GatewayRequest, _ query: Query?) throws(Problem) -> Duration? {
    var asked: Duration?
    // The query beats the header, which has to be right all the same.
    if let header = request.header(.requestTimeout) {
      asked = try RequestTimeout.parse(String(decoding: header, as: UTF8.self))
    }
    if let text = query?.control(RequestTimeout.parameter) { asked = try RequestTimeout.parse(text) }
    return asked
  }
}

/// A call under way; it turns the call's end into the answer. A connection has one for its plain calls and uses it again for each.
///
/// The engine ends a call in exactly one way. The reply came: its result becomes JSON, or stays MessagePack, or its exception a
/// problem. There is no reply, or none that can be used, because the deadline passed, the backend went away, the reply was malformed
/// or too long, or the gateway stops: a problem says so, and whether the method may have run. The client left first: the call is
/// cancelled, which frees its place among the calls that the service allows at once, and a late reply is dropped.
final class PendingReply: ReplyHandler, PendingWork {
  // The request holds this object, and abandons the call before it is freed.
  private unowned let request: GatewayRequest
  /// What was called; nil when no call is under way.
  @exclusivity(unchecked) private var callee: CallResponder?
  @exclusivity(unchecked) private var number: UInt32 = 0

  init(_ request: GatewayRequest) { self.request = request }

  /// Hands a call to the engine, with the arguments that lie in the shard's buffer.
  func call(_ callee: CallResponder, _ frames: CallFrames, asking timeout: Duration?) throws(Problem) {
    let request = request
    number = try callee.upstream.call(
      callee.method, frames, in: request.buffers.request, asking: timeout, replyTo: self)
    // The engine tells of the end in a later turn.
    self.callee = callee
    request.waits(for: self)
  }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
    guard let callee = callee.take() else { return }
    let request = request
    let notes = request.notes
    notes?.add(callee.upstream.replyTimes)
    let buffers = request.buffers
    defer { buffers.clear() }
    do throws(TranscodingError) {
      let replies = callee.upstream.replies
      if isException {
        request.answer(try replies.problem(body, calling: callee.method, &buffers.reply))
      } else {
        let start = notes?.timesEncoding == true ? Instant.monotonic() : nil
        try replies.write(body, as: request.resultFormat, into: &buffers.reply)
        if let start { notes?.encoding = .monotonic() - start }
        buffers.reply.withUnsafeBytes { request.answer(result: $0) }
      }
    } catch {
      request.answer(Problem(reply: error))
    }
  }

  /// Too long a reply for this thread: the request waits for a `Call` that has another one read it.
  func replied(_ reply: LongReply) {
    guard let callee = callee.take() else { return }
    let call = Call(
      callee.method, of: callee.upstream, at: request.occurrence, as: request.resultFormat, isTagged: request.isFetch,
      completion: { [request] in
        request.notes?.add($0.times)
        request.answer($0)
      })
    request.waits(for: call)
    call.replied(reply)
  }

  func timedOut(_ silence: Silence) {
    guard let callee = callee.take() else { return }
    request.notes?.add(ReplyTimes(queued: silence.queued, waited: silence.waited, endpoint: nil))
    var problem = Problem(silence, calling: callee.method, at: callee.upstream)
    if let longest = cutTimeout(of: callee) {
      problem.detail += " The time that was asked for was cut to the method's max-timeout, \(Quantity.text(longest))."
    }
    request.answer(problem)
  }

  /// The longest time that the method may have, if the request has asked for more.
  private func cutTimeout(of callee: CallResponder) -> Duration? {
    let isPost = request.method == .post
    let query = try? request.query(
      isPost ? .nothing : .arguments, controls: isPost ? CallResponder.controls : CallResponder.fetchControls)
    let longest = callee.upstream.settings(of: callee.method).maximumTimeout
    guard let asked = try? CallResponder.askedTimeout(request, query), asked > longest else { return nil }
    return longest
  }

  func failed(_ failure: CallFailure) {
    guard callee.take() != nil else { return }
    request.answer(Problem(failure))
  }

  /// The client is gone before its answer. The backend cannot be told, but the call's place is free again.
  func cancel() {
    guard let callee = callee.take() else { return }
    callee.upstream.cancel(number)
  }
}

extension GatewayRequest {
  /// Answers with the result of a call; a GET has its tag, and is told when it knows the result already. The bytes are copied, unless
  /// an owner keeps them, who counts them in the memory.
  func answer(
    result: UnsafeRawBufferPointer, as format: ResultFormat? = nil, tag: String? = nil,
    headers more: [(StaticString, String)] = [], keptBy owner: AnyObject? = nil
  ) {
    guard owner != nil || memory.hasRoom(for: result.count) else { return answer(.noMemory(forAnswer: result.count)) }
    let type = (format ?? resultFormat).contentType
    if !isFetch { return answer(200, type, headers: more, result, keptBy: owner) }
    let tag = tag ?? EntityTag.of(result)
    let headers: [(StaticString, String)] = [("ETag", tag), ("Vary", "Accept")] + more
    if EntityTag.matches(values(of: .ifNoneMatch), tag) {
      // Only its length is told, as of the answer that the client has (RFC 9110, 8.6).
      answer(304, "", headers: headers, result, keptBy: owner)
    } else {
      answer(200, type, headers: headers, result, keptBy: owner)
    }
  }
}

/// What the result of a call is written as. MessagePack has one registered name and two that are older.
enum ResultFormat: CaseIterable {
  case json, messagePack, vendorMessagePack, unregisteredMessagePack

  /// All but JSON.
  static let packed: [ResultFormat] = [.messagePack, .vendorMessagePack, .unregisteredMessagePack]

  var contentType: StaticString {
    switch self {
    case .json: "application/json"
    case .messagePack: "application/msgpack"
    case .vendorMessagePack: "application/vnd.msgpack"
    case .unregisteredMessagePack: "application/x-msgpack"
    }
  }
}
