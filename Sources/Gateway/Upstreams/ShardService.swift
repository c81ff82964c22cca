import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A service of the configuration that is served: what all shards share of it, and the shard that is its home.
struct ServedService: Sendable {
  let configuration: Configuration.Service
  let shared: SharedService
  /// Where its events come in, and where the socket is that others connect to.
  let home: Shard

  /// All services of a configuration, their homes spread over the shards. `shared` are in the order of the configuration.
  static func all(of configuration: Configuration, shared: [SharedService], over shards: [Shard]) -> [ServedService] {
    zip(configuration.services, shared).enumerated().map { index, service in
      ServedService(configuration: service.0, shared: service.1, home: shards[index % shards.count])
    }
  }
}

/// A service as one shard has it: its upstream, its feed where it can be subscribed to, and its hub where the shard is its home.
///
/// Shards know it by what they share of it, and not by its name: for a while a service and the one that takes its place at a reload are
/// both there.
final class ShardService {
  let configuration: Configuration.Service
  /// What all shards know of it.
  let shared: SharedService
  let upstream: Upstream
  let feed: EventFeed?
  let hub: EventHub?
  /// The settings of the whole gateway that its answers depend on.
  private let errors: Configuration.Errors
  /// As long as a stop may take, by which its sockets go.
  private let grace: Duration
  /// Whether calls go on that were watched of the one before.
  private let keepsWatches: Bool
  /// Its socket where another shard has that.
  private let distant: DistantSocket?

  var name: String { configuration.name }
  /// Whether the gateway is ready only while it can be used.
  var isRequired: Bool { configuration.isRequired }
  /// What a caller with these permissions reaches of it; nil: everything.
  func reached(with permissions: Permissions?) -> ReachableService {
    ReachableService(configuration, shared.description, for: permissions)
  }

  /// Opens its sockets. Throws, with all of them closed, when an endpoint cannot be used.
  init(
    _ service: ServedService, in configuration: Configuration, on shard: Shard, context: Context, loop: Loop,
    logger: Logger
  ) throws {
    var logger = logger
    logger[metadataKey: "service"] = "\(service.configuration.name)"
    let (shared, home) = (service.shared, service.home)
    let distant =
      service.configuration.isBound && home !== shard
      ? DistantSocket(shared, shard: shard, home: home, loop: loop) : nil
    var (feed, hub): (EventFeed?, EventHub?) = (nil, nil)
    do {
      if case .pubsub(let pubsub) = service.configuration.pattern, let subscribe = pubsub.subscribe {
        feed = try EventFeed(shared, subscribe, shard: shard, home: home, loop: loop, logger: logger)
        if home === shard {
          hub = try UnusableService.check(service.configuration.name) {
            try EventHub(
              service.configuration, subscribe, shared: shared, limits: configuration, context: context, loop: loop,
              logger: logger)
          }
        }
      }
      upstream = try UnusableService.check(service.configuration.name) { [feed] in
        try Upstream(
          service.configuration, in: configuration, shared: shared, feed: feed, distant: distant, context: context,
          loop: loop, logger: logger)
      }
    } catch {
      hub?.close()
      feed?.close()
      throw error
    }
    self.configuration = service.configuration
    self.shared = shared
    self.feed = feed
    self.hub = hub
    self.distant = distant
    (errors, grace) = (configuration.errors, configuration.grace)
    keepsWatches = false
  }

  /// The service with other settings for its callers, by the sockets of the former one, which is dropped without `close`.
  private init(_ service: Configuration.Service, in configuration: Configuration, insteadOf former: ShardService) {
    keepsWatches = service.isWatched(as: former.configuration) && configuration.errors == former.errors
    upstream = former.upstream.altered(service, in: configuration, keepsWatches: keepsWatches)
    self.configuration = service
    (shared, feed, hub, distant) = (former.shared, former.feed, former.hub, former.distant)
    (errors, grace) = (configuration.errors, configuration.grace)
  }

  /// The service as that configuration has it, whose sockets are the same: this one when nothing has changed.
  func altered(_ service: Configuration.Service, in configuration: Configuration) -> ShardService {
    if service == self.configuration, (configuration.errors, configuration.grace) == (errors, grace) { return self }
    return ShardService(service, in: configuration, insteadOf: self)
  }

  /// Begins to connect to those endpoints that are new to its sockets; what is under way goes on. Throws when one cannot be used.
  func connect() throws {
    try UnusableService.check(name) {
      try upstream.connect(configuration)
      if let subscribe { try hub?.connect(subscribe.connect) }
    }
  }

  /// Takes the place of the former one: what it says holds for the sockets from now on, for its streams and what is kept of its events.
  func succeed(_ former: ShardService) {
    settle()
    // Their clients come back at once, and are told what holds now.
    if !keepsWatches { former.drainWatches() }
  }

  /// What it says holds for the sockets.
  func settle() {
    upstream.settle(configuration)
    guard let subscribe else { return }
    feed?.use(subscribe)
    hub?.use(configuration, subscribe)
  }

  private var subscribe: Configuration.Subscribe? {
    if case .pubsub(let pubsub) = configuration.pattern { pubsub.subscribe } else { nil }
  }

  // MARK: Messages of other shards

  /// Another shard asks something of the socket that is here.
  func receive(_ request: DistantSocket.Request, from shard: Shard) {
    switch (request, upstream) {
    case (.send(let call, let number), .pipeline(let upstream)):
      shard.tell(shared, upstream.receive(call), of: number)
    case (.send(let call, let number), .pubsub(let upstream)):
      let closed = DistantSocket.Outcome.failed(CallFailure(.closed, sent: false))
      shard.tell(shared, upstream.publishing?.receive(call) ?? closed, of: number)
    case (_, .rpc(let upstream)): upstream.visitingCalls?.receive(request, from: shard)
    case (.call(_, let number, _, _, _), _): shard.tell(shared, .failed(CallFailure(.closed, sent: false)), of: number)
    case (.cancel, _), (.expire, _): break
    }
  }

  /// The home tells what became of a call that was handed over.
  func receive(_ outcome: DistantSocket.Outcome, of number: UInt32) { distant?.receive(outcome, of: number) }

  // MARK: Counting

  /// Adds what has become of its calls and events.
  func count(into accounts: inout Accounts) {
    if let feed {
      var events = feed.accounts
      events.numbered = hub?.numbered ?? 0
      accounts.eventsOfServices[name, default: .init()] =
        accounts.eventsOfServices[name, default: .init()] + events
    }
    guard case .rpc(let upstream) = upstream else { return }
    accounts.joinedCalls += upstream.sharedCalls.counters.joined
    accounts.keptResults += upstream.sharedCalls.counters.kept
    guard let counters = upstream.counters else { return }
    accounts.queueTimeouts += counters.queueTimeouts
    accounts.timeouts += counters.timeouts
    accounts.lateReplies = accounts.lateReplies + counters.lateReplies
  }

  /// Adds what is counted of its calls and streams.
  func count(into report: inout ShardReport) {
    if let feed { report.streams[name, default: 0] += feed.streamCount }
    guard case .rpc(let upstream) = upstream else { return }
    report.count(upstream.methodCounters, of: name)
    let shed = (upstream.counters?.shed ?? .init()) + (distant?.shed ?? .init())
    report.shed[name, default: .init()] = report.shed[name, default: .init()] + shed
    guard let counters = upstream.counters else { return }
    report.retriedCalls += counters.retriedCalls
    report.hedgedCalls += counters.hedgedCalls
    report.replacedConnections += counters.replacedConnections
  }

  // MARK: Ending

  /// Whether nothing of it is under way on this shard: no call, and no stream.
  var isIdle: Bool { upstream.isIdle && distant?.isIdle ?? true && feed?.isIdle ?? true }

  /// Asks its streams to end, within the grace.
  func drain(within grace: Duration) {
    feed?.drain(within: grace)
    drainWatches()
  }

  /// All streams end, as those do whose credentials were taken back.
  func endStreams() {
    feed?.endStreams()
    watches?.end(because: .revoked)
  }

  /// Streams end whose credentials were taken back.
  func endStreamsWithoutCredentials() {
    feed?.endWithoutCredentials()
    watches?.wake()
  }

  /// Asks the streams of watched calls to end.
  func drainWatches() { watches?.drain() }

  private var watches: Watches? { if case .rpc(let upstream) = upstream { upstream.watches } else { nil } }

  /// Answers what is under way with that, and closes the sockets, but for that of the events: streams that are not open yet get their
  /// answer.
  func close() {
    upstream.close()
    feed?.close()
  }

  /// Closes the socket of the events. After the streams.
  func closeHub() { hub?.close() }
}
