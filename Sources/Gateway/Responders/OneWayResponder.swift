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

  func respond(to request: GatewayRequest) throws(Problem) {
    try request.sendOneWay(upstream.reader) { arguments, keywords throws(CallFailure) in
      try method.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
        try upstream.sender.send(BorrowedCall(method: method, arguments: arguments, keywords: keywords))
      }
    }
  }
}

/// `/pub/{service}/{topic}/{method}`: an event for all subscribers of the topic.
struct PublishResponder: Responder {
  let upstream: OneWayUpstream
  let topic: [UInt8]
  let method: MethodName

  init(service: String, topic: [UInt8], method: MethodName, in upstreams: UpstreamTable) throws(Problem) {
    upstream = try upstreams.publishing(service, on: topic)
    try upstream.policy.check(method)
    self.topic = topic
    self.method = method
  }

  var methods: HTTPMethod.Set { .submit }

  func respond(to request: GatewayRequest) throws(Problem) {
    try request.sendOneWay(upstream.reader) { arguments, keywords throws(CallFailure) in
      try topic.span.withUnsafeBytes { topic throws(CallFailure) in
        try method.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
          try upstream.sender.send(
            BorrowedCall(topic: topic, method: method, arguments: arguments, keywords: keywords))
        }
      }
    }
  }
}

extension GatewayRequest {
  private static let accepted = Array(#"{"accepted":true}"#.utf8)

  /// Turns the body into arguments, lends them to `send`, and answers that they were accepted.
  fileprivate func sendOneWay(
    _ reader: JSONToMessagePack,
    _ send: (_ arguments: UnsafeRawBufferPointer, _ keywords: UnsafeRawBufferPointer) throws(CallFailure) -> Void
  ) throws(Problem) {
    _ = try query(.nothing)
    let buffers = buffers
    defer { buffers.clear() }
    let frames = try transcodeBody(reader)
    do throws(CallFailure) {
      try frames.withFrames(in: buffers.request, send)
    } catch {
      throw Problem(error)
    }
    answer(202, "application/json", Self.accepted)
  }
}
