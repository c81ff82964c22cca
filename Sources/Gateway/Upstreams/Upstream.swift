import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// One service as a shard reaches it: its sockets and what callers may do.
enum Upstream {
  case rpc(RPCUpstream)
  case pipeline(PipelineUpstream)
  case pubsub(PubSubUpstream)

  /// Whether all its endpoints have a connection; what a service is subscribed to, its hub knows.
  var isConnected: Bool {
    switch self {
    case .rpc(let backend): backend.client.isConnected
    case .pipeline(let backend): backend.sender.isConnected
    case .pubsub(let backend): backend.publisher?.isConnected ?? true
    }
  }

  func close() {
    switch self {
    case .rpc(let backend): backend.client.close()
    case .pipeline(let backend): backend.sender.close()
    case .pubsub(let backend): backend.publisher?.close()
    }
  }
}

/// A request-reply service.
final class RPCUpstream {
  let client: CallEngine
  let policy: MethodPolicy
  let errors: ErrorMap
  let exposure: Configuration.Exposure
  let timeout: Duration
  let maximumTimeout: Duration
  let reader: JSONToMessagePack
  let writer: MessagePackToJSON

  init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration, inFlight: SharedLimit,
    context: Context, loop: Loop, logger: Logger
  ) throws {
    var options = RPCOptions()
    options.longestReply = rpc.replyLimit
    client = try CallEngine(
      connect: rpc.connect.map(\.description), inFlight: inFlight, options: options, in: context, on: loop,
      logger: logger)
    policy = MethodPolicy(service.methods)
    errors = ErrorMap(rpc.errors.map, configuration.errors.map)
    exposure = rpc.errors.expose ?? configuration.errors.expose ?? .full
    timeout = rpc.timeout
    maximumTimeout = rpc.maximumTimeout
    reader = JSONToMessagePack(limits: configuration.http.limits.transcoding)
    writer = service.json.writer(limits: configuration.http.limits.transcoding)
  }
}

/// A pipeline service.
final class PipelineUpstream {
  let sender: OneWayClient
  let policy: MethodPolicy
  let reader: JSONToMessagePack

  init(
    _ service: Configuration.Service, _ pipeline: Configuration.Pipeline, in configuration: Configuration,
    context: Context, loop: Loop, logger: Logger
  ) throws {
    sender = try OneWayClient(
      .pipeline, connect: pipeline.connect.map(\.description), in: context, on: loop, logger: logger)
    policy = MethodPolicy(service.methods)
    reader = JSONToMessagePack(limits: configuration.http.limits.transcoding)
  }
}

/// A publish-subscribe service: one direction or both.
final class PubSubUpstream {
  let publisher: OneWayClient?
  let feed: EventFeed?
  let policy: MethodPolicy
  let reader: JSONToMessagePack

  init(
    _ service: Configuration.Service, _ pubsub: Configuration.PubSub, in configuration: Configuration,
    feed: EventFeed?, context: Context, loop: Loop, logger: Logger
  ) throws {
    publisher = try pubsub.publish.map {
      try OneWayClient(.publish, connect: $0.connect.map(\.description), in: context, on: loop, logger: logger)
    }
    self.feed = feed
    policy = MethodPolicy(service.methods)
    reader = JSONToMessagePack(limits: configuration.http.limits.transcoding)
  }
}
