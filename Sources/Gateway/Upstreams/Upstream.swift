import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// One service as a shard reaches it: its sockets and what callers may do.
enum Upstream {
  case rpc(RPCUpstream)
  case pipeline(OneWayUpstream)
  case pubsub(PubSubUpstream)

  /// Opens its sockets. `feed` is the shard's end of a service that can be subscribed to, `distant` the socket that another shard has.
  /// Throws, with all of them closed, when an endpoint cannot be used.
  init(
    _ service: Configuration.Service, in configuration: Configuration, shared: SharedService, feed: EventFeed?,
    distant: DistantSocket?, context: Context, loop: Loop, logger: Logger
  ) throws {
    switch service.pattern {
    case .rpc(let rpc):
      self = .rpc(
        try RPCUpstream(
          service, rpc, in: configuration, shared: shared, distant: distant, context: context, loop: loop,
          logger: logger))
    case .pipeline(let pipeline):
      self = .pipeline(
        try OneWayUpstream(
          .pipeline, connect: pipeline.connect, bind: pipeline.bind, of: service, in: configuration, shared: shared,
          distant: distant, context: context, loop: loop, logger: logger))
    case .pubsub(let pubsub):
      self = .pubsub(
        try PubSubUpstream(
          service, pubsub, in: configuration, feed: feed, shared: shared, distant: distant, context: context,
          loop: loop, logger: logger))
    }
  }

  /// The same sockets with other settings for callers. The service has the pattern that it had. `keepsWatches`: calls that are watched go on.
  func altered(
    _ service: Configuration.Service, in configuration: Configuration, keepsWatches: Bool
  ) -> Upstream {
    switch (self, service.pattern) {
    case (.rpc(let upstream), .rpc(let rpc)):
      .rpc(RPCUpstream(service, rpc, in: configuration, insteadOf: upstream, keepsWatches: keepsWatches))
    case (.pipeline(let upstream), .pipeline):
      .pipeline(OneWayUpstream(service, in: configuration, insteadOf: upstream))
    case (.pubsub(let upstream), .pubsub(let pubsub)):
      .pubsub(PubSubUpstream(service, pubsub, in: configuration, insteadOf: upstream))
    default: self
    }
  }

  /// Begins to connect to those endpoints of the service that are new, by the sockets that it has. Throws when one cannot be used. A pipeline waits
  /// for `settle`: what went to a worker that is not used after all could not be had back.
  func connect(_ service: Configuration.Service) throws(ZMQError) {
    switch (self, service.pattern) {
    case (.rpc(let upstream), .rpc(let rpc)): try upstream.connect(rpc)
    case (.pubsub(let upstream), .pubsub(let pubsub)): try upstream.publishing?.connect(pubsub.publish?.connect ?? [])
    default: break
    }
  }

  /// Uses those endpoints of the service only from now on, and as the service says.
  func settle(_ service: Configuration.Service) {
    switch (self, service.pattern) {
    case (.rpc(let upstream), .rpc(let rpc)): upstream.settle(rpc)
    case (.pipeline(let upstream), .pipeline(let pipeline)): upstream.settle(pipeline.connect)
    case (.pubsub(let upstream), .pubsub(let pubsub)): upstream.publishing?.settle(pubsub.publish?.connect ?? [])
    default: break
    }
  }

  /// Whether no call is under way on this shard.
  var isIdle: Bool { if case .rpc(let upstream) = self { upstream.isIdle } else { true } }

  /// Whether all its endpoints have a connection; what a service is subscribed to, its hub knows.
  var isConnected: Bool {
    switch self {
    case .rpc(let upstream): upstream.isConnected
    case .pipeline(let upstream): upstream.isConnected
    case .pubsub(let upstream): upstream.publishing?.isConnected ?? true
    }
  }

  /// Whether it can be used: at least one endpoint has a connection, in each direction that is configured.
  var isReady: Bool {
    switch self {
    case .rpc(let upstream): upstream.isReady
    case .pipeline(let upstream): upstream.isReady
    case .pubsub(let upstream): upstream.isReady
    }
  }

  func close() {
    switch self {
    case .rpc(let upstream): upstream.close()
    case .pipeline(let upstream): upstream.close()
    case .pubsub(let upstream): upstream.close()
    }
  }
}
