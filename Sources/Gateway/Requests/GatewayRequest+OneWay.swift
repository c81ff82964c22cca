import HTTPServer
import MessagePack
import ZeroMQRPC

/// Calls without replies: pipeline and publish.
extension GatewayRequest {
  private static let accepted = Array(#"{"accepted":true}"#.utf8)

  func push(_ method: String, to backend: PipelineUpstream) throws(Refusal) {
    try send(method, backend.sender, backend.reader, topic: nil)
  }

  func publish(_ topic: [UInt8], _ method: String, to backend: PubSubUpstream) throws(Refusal) {
    guard let publisher = backend.publisher else { return }
    try send(method, publisher, backend.reader, topic: topic)
  }

  private func send(
    _ method: String, _ sender: OneWayClient, _ reader: JSONToMessagePack, topic: [UInt8]?
  ) throws(Refusal) {
    _ = try readQuery(.nothing, controls: [])
    try checkContentType()
    handler.buffers.clear()
    defer { handler.buffers.clear() }
    try answeringFailures {
      let frames = try reader.transcodeCall(exchange.body, into: &handler.buffers.request)
      try handler.buffers.withFrames(frames) { arguments, keywords in
        var method = method
        try method.withUTF8 { method in
          var call = BorrowedCall(method: UnsafeRawBufferPointer(method), arguments: arguments, keywords: keywords)
          guard let topic else { return try sender.send(call) }
          try topic.withUnsafeBytes {
            call.topic = $0
            try sender.send(call)
          }
        }
      }
      answer(202, "application/json", Self.accepted)
    }
  }
}
