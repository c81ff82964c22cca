import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Where calls without replies go: the workers of a pipeline service, or the subscribers of a publish-subscribe service.
final class OneWayUpstream {
  let sender: OneWayClient
  let policy: MethodPolicy
  let reader: JSONToMessagePack
  let loop: Loop

  init(
    _ pattern: OneWayClient.Pattern, _ endpoints: [Endpoint], of service: Configuration.Service,
    in configuration: Configuration, shared: SharedService, context: Context, loop: Loop, logger: Logger
  ) throws {
    sender = try OneWayClient(
      pattern, connect: endpoints, memory: shared.memory, states: shared.outgoing, in: context, on: loop, logger: logger
    )
    self.loop = loop
    policy = MethodPolicy(service.methods)
    reader = service.reader(limits: configuration.http.limits.transcoding)
  }

  /// The method of that name, if callers reach it.
  func method(_ name: String) throws(Problem) -> MethodName { try policy.method(name) }

  /// Sends a call, published on a topic where there is one; its arguments lie in the buffer. Throws why nothing takes it.
  func send(
    _ topic: [UInt8]?, _ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer
  ) throws(Problem) {
    do throws(CallFailure) {
      try frames.withFrames(in: buffer) { arguments, keywords throws(CallFailure) in
        try method.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
          var call = BorrowedCall(method: method, arguments: arguments, keywords: keywords)
          guard let topic else { return try sender.send(call) }
          try topic.span.withUnsafeBytes { topic throws(CallFailure) in
            call.topic = topic
            try sender.send(call)
          }
        }
      }
    } catch {
      throw Problem(error)
    }
  }
}
