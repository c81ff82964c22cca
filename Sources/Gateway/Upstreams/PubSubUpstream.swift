import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A publish-subscribe service as a shard reaches it: one direction or both.
final class PubSubUpstream {
  /// Where events from HTTP go; nil where the service cannot be published to.
  let publishing: OneWayUpstream?
  /// The prefixes of what may be published on.
  let topics: [[UInt8]]
  /// What streams read; nil where the service cannot be subscribed to.
  let feed: EventFeed?
  private let shared: SharedService

  init(
    _ service: Configuration.Service, _ pubsub: Configuration.PubSub, in configuration: Configuration,
    feed: EventFeed?, shared: SharedService, distant: DistantSocket?, context: Context, loop: Loop, logger: Logger
  ) throws {
    publishing = try pubsub.publish.map {
      try OneWayUpstream(
        .publish, connect: $0.connect, bind: $0.bind, of: service, in: configuration, shared: shared, distant: distant,
        context: context, loop: loop, logger: logger)
    }
    topics = pubsub.publish?.prefixes ?? []
    self.feed = feed
    self.shared = shared
  }

  /// The same sockets with other settings for callers.
  init(
    _ service: Configuration.Service, _ pubsub: Configuration.PubSub, in configuration: Configuration,
    insteadOf former: PubSubUpstream
  ) {
    publishing = former.publishing.map { OneWayUpstream(service, in: configuration, insteadOf: $0) }
    topics = pubsub.publish?.prefixes ?? []
    (feed, shared) = (former.feed, former.shared)
  }

  /// Whether each direction that is configured has a connection. The one to publishers lives on another shard, perhaps.
  var isReady: Bool {
    (publishing?.isReady ?? true) && (feed == nil || shared.connectedPublishers > 0)
  }

  func close() { publishing?.close() }
}
