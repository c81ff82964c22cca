import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A request-reply service as a shard reaches it.
final class RPCUpstream {
  let engine: CallEngine
  let policy: MethodPolicy
  let errors: ErrorMap
  let exposure: Configuration.Exposure
  let timeout: Duration
  let maximumTimeout: Duration
  let reader: JSONToMessagePack
  let writer: MessagePackToJSON

  init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration, shared: SharedService,
    context: Context, loop: Loop, logger: Logger
  ) throws {
    var options = RPCOptions()
    options.longestReply = rpc.replyLimit
    engine = try CallEngine(
      connect: rpc.connect, inFlight: shared.inFlight, memory: shared.memory, options: options, in: context,
      on: loop,
      logger: logger)
    policy = MethodPolicy(service.methods)
    errors = ErrorMap(rpc.errors.map, configuration.errors.map)
    exposure = configuration.exposure(rpc.errors)
    timeout = rpc.timeout
    maximumTimeout = rpc.maximumTimeout
    reader = JSONToMessagePack(limits: configuration.http.limits.transcoding)
    writer = service.json.writer(limits: configuration.http.limits.transcoding)
  }
}
