import HTTPServer
import MessagePack
import ZeroMQRPC

/// `/push/{service}/{method}`: a call without a reply, for one of the service's workers.
struct PushResponder: Responder {
  let upstream: OneWayUpstream
  let method: MethodName

  init(service: String, method: MethodName, in upstreams: UpstreamTable) throws(Problem) {
    upstream = try upstreams.pipeline(service)
    try upstream.policy.check(method)
    self.method = method
  }

  var methods: HTTPMethod.Set { .submit }
  var kind: RouteKind { .push }

  func beginUnread(_ request: GatewayRequest) throws(Problem) { try request.beginOneWayUnread() }

  func respond(to request: GatewayRequest) throws(Problem) { try request.sendOneWay(nil, method, upstream) }
}

/// `/pub/{service}/{topic}/{method}`: an event for all subscribers of the topic.
struct PublishResponder: Responder {
  let upstream: OneWayUpstream
  let topic: [UInt8]
  let method: MethodName

  /// `permissions` are the caller's; nil: everything.
  init(
    service: String, topic: [UInt8], method: MethodName, for permissions: Permissions? = nil,
    in upstreams: UpstreamTable
  ) throws(Problem) {
    upstream = try upstreams.publishing(service, on: topic, for: permissions)
    try upstream.policy.check(method)
    self.topic = topic
    self.method = method
  }

  var methods: HTTPMethod.Set { .submit }
  var kind: RouteKind { .pub }

  func beginUnread(_ request: GatewayRequest) throws(Problem) { try request.beginOneWayUnread() }

  func respond(to request: GatewayRequest) throws(Problem) { try request.sendOneWay(topic, method, upstream) }
}

extension GatewayRequest {
  private static let accepted = Array(#"{"accepted":true}"#.utf8)

  /// Refuses, by its head, what could not be sent.
  fileprivate func beginOneWayUnread() throws(Problem) {
    _ = try query(.nothing)
    _ = try isBodyPacked(isUnread: true)
    try RememberedRequest.check(self)
  }

  /// Turns the body into arguments, sends them, and answers that they were accepted.
  fileprivate func sendOneWay(_ topic: [UInt8]?, _ method: MethodName, _ upstream: OneWayUpstream) throws(Problem) {
    _ = try query(.nothing)
    let buffers = buffers
    defer { buffers.clear() }
    let frames = try transcodeBody(upstream.reader)
    if mayBeRemembered, let remembered = try RememberedRequest(self, mayNotWait: false) {
      return try remembered.send(topic, method, to: upstream, frames, in: buffers.request)
    }
    if upstream.isDistant {
      let taker = ReceiptTaker(self)
      try upstream.handOver(topic, method, frames, in: buffers.request) { taker.answer($0) }
      return waits(for: taker)
    }
    try upstream.send(topic, method, frames, in: buffers.request)
    answerAccepted()
  }

  /// Answers that a message was handed over.
  func answerAccepted(headers: [(StaticString, String)] = []) {
    Self.accepted.withUnsafeBytes { answer(202, "application/json", headers: headers, $0) }
  }
}

/// The client that waits until another shard has handed its message to libzmq. When it leaves, the message goes on.
final class ReceiptTaker: PendingWork {
  private var request: GatewayRequest?

  init(_ request: GatewayRequest) { self.request = request }

  /// Answers that the message was handed over, or why not.
  func answer(_ problem: Problem?) {
    guard let request = request.take() else { return }
    if let problem { request.answer(problem) } else { request.answerAccepted() }
  }

  func cancel() { request = nil }
}
