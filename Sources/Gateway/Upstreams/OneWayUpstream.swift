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

  init(
    _ pattern: OneWayClient.Pattern, _ endpoints: [Endpoint], of service: Configuration.Service,
    in configuration: Configuration, memory: MemoryBudget, context: Context, loop: Loop, logger: Logger
  ) throws {
    sender = try OneWayClient(
      pattern, connect: endpoints, memory: memory, in: context, on: loop, logger: logger)
    policy = MethodPolicy(service.methods)
    reader = service.reader(limits: configuration.http.limits.transcoding)
  }
}
