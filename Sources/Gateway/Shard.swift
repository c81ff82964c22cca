import HTTPServer
import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// One thread and everything on it: HTTP connections, the sockets behind them, streams. A gateway is some equal shards.
actor Shard {
  nonisolated let reactor: Reactor
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private(set) var feeds: [String: EventFeed] = [:]
  private(set) var hubs: [String: EventHub] = [:]
  private let handler: GatewayHandler
  private let limiter: ClientLimiter?
  private(set) var upstreams = UpstreamTable()
  private var servers: [Server] = []
  private var openConnections: OpenConnections?
  private var waiting: LoopWait?

  /// A shard without services: it can listen, and knows of nothing to serve until `open`.
  init(
    _ reactor: Reactor, _ http: Configuration.HTTP, _ auth: Configuration.Auth = .init(),
    callers: CallerDirectory? = nil, limiter: ClientLimiter? = nil, calls: RememberedCalls = .init(), logger: Logger
  ) {
    self.reactor = reactor
    self.limiter = limiter
    unownedExecutor = reactor.asUnownedSerialExecutor()
    handler = GatewayHandler(http, auth, callers: callers, limiter: limiter, calls, logger: logger)
  }

  /// Does something on the shard: at once when the caller is there, else after all that was posted before.
  private nonisolated func post(_ body: @escaping @Sendable (isolated Shard) -> Void) {
    if reactor.isCurrent { return assumeIsolated(body) }
    reactor.submit { self.assumeIsolated(body) }
  }

  /// Has the hub of the service, which lives on this shard, do what the feed of a shard asks. When that is this shard too, it is
  /// done, and answered, before this returns.
  nonisolated func ask(_ service: String, _ request: EventHub.Request, from shard: Shard) {
    post { $0.hubs[service]?.receive(request, from: shard) }
  }

  /// Tells the feed of the service on this shard what its hub has for it. When the hub is on this shard too, the feed has it before
  /// this returns.
  nonisolated func tell(_ service: String, _ message: EventFeed.Message) {
    post { $0.feeds[service]?.receive(message) }
  }

  /// Has the shard that is home to the service, which this is, do what another shard asks of its socket.
  nonisolated func ask(_ service: String, _ request: DistantSocket.Request, from shard: Shard) {
    post { $0.upstreams.receive(request, of: service, from: shard) }
  }

  /// Tells what became of a call that this shard had handed over.
  nonisolated func tell(_ service: String, _ outcome: DistantSocket.Outcome, of number: UInt32) {
    post { $0.upstreams.receive(outcome, of: number, at: service) }
  }

  /// Streams end whose credentials were taken back.
  nonisolated func endStreamsWithoutCredentials() {
    post { shard in
      for feed in shard.feeds.values { feed.endWithoutCredentials() }
    }
  }

  /// Opens the sockets of all services. `shards` are all shards of the gateway: a service's events come in on one of them, its home, which
  /// also has the socket where others connect to the gateway.
  /// `shared` is what they share of each service, in the order of the configuration.
  func open(
    _ configuration: Configuration, shards: [Shard], shared: [SharedService], context: Context, logger: Logger
  ) throws {
    let loop = reactor.loop
    var distant: [String: DistantSocket] = [:]
    for (index, service) in configuration.services.enumerated() {
      let home = shards[index % shards.count]
      if service.isBound, home !== self {
        distant[service.name] = DistantSocket(
          service.name, shared: shared[index], shard: self, home: home, loop: loop)
      }
      guard case .pubsub(let pubsub) = service.pattern, let subscribe = pubsub.subscribe else { continue }
      var logger = logger
      logger[metadataKey: "service"] = "\(service.name)"
      feeds[service.name] = try EventFeed(
        service.name, subscribe, memory: shared[index].memory, shard: self, home: home, loop: loop, logger: logger)
      guard home === self else { continue }
      hubs[service.name] = try UnusableService.check(service.name) {
        try EventHub(
          service, subscribe, shared: shared[index], limits: configuration, context: context, loop: loop,
          logger: logger)
      }
    }
    upstreams = try UpstreamTable(
      configuration, feeds: feeds, distant: distant, shared: shared, context: context, loop: loop, logger: logger)
    handler.use(upstreams, Scraper(shards, on: self), on: loop)
  }

  /// Returns when every backend is connected, or the time is over.
  func connect(within patience: Duration) async {
    let (upstreams, hubs) = (upstreams, Array(hubs.values))
    await wait(until: reactor.loop.now + patience) {
      upstreams.services.allSatisfy(\.upstream.isConnected) && hubs.allSatisfy(\.isConnected)
    }
  }

  /// Starts serving on the socket, which is this shard's from here on.
  func listen(
    on listener: Listener, options: ServerOptions, openConnections: OpenConnections, memory: MemoryBudget,
    logger: Logger
  ) throws {
    self.openConnections = openConnections
    servers.append(
      try Server(
        listener, options: options, openConnections: openConnections, memory: memory, handler: handler,
        on: reactor.loop, logger: logger))
  }

  /// Refuses new work, asks the streams to end, and returns when all that is under way is answered, or the time is over. `Gateway.stop`
  /// then closes the shard, which cuts off what is left.
  func drain(within grace: Duration) async {
    for server in servers { server.quiesce() }
    for feed in feeds.values { feed.drain(within: grace) }
    upstreams.drain()
    let (servers, books) = (servers, handler.callBooks)
    let isIdle = { servers.allSatisfy(\.isIdle) && books.accounts.underWay == 0 }
    let end = reactor.loop.now + grace
    await wait(until: end, isIdle)
    // Requests that clients had sent before they could know are still on their way: they are told, and not just cut off.
    await wait(until: min(end, reactor.loop.now + Self.afterglow)) { false }
    await wait(until: end, isIdle)
  }

  private static let afterglow = Duration.milliseconds(50)

  /// Returns at the end of the first turn in which the condition holds, or at the deadline.
  private func wait(until deadline: Instant, _ isMet: @escaping () -> Bool) async {
    let loop = reactor.loop
    await withCheckedContinuation { done in
      waiting = LoopWait(loop, until: deadline, isMet) { done.resume() }
    }
    waiting = nil
  }

  /// What has become of the requests of this shard.
  var accounts: Accounts {
    var accounts = handler.accounts
    accounts.calls = handler.callBooks.accounts
    upstreams.count(into: &accounts)
    for (service, feed) in feeds { accounts.eventsOfServices[service] = feed.accounts }
    for (service, hub) in hubs { accounts.eventsOfServices[service]?.numbered = hub.numbered }
    return accounts
  }

  /// Tells what the shard has counted so far: at once when the caller is on it, else in a turn of it.
  nonisolated func report(to body: @escaping @Sendable (ShardReport) -> Void) {
    post { shard in
      var report = ShardReport(accounts: shard.accounts, requests: shard.handler.counters)
      report.openConnections = shard.openConnections
      report.limiter = shard.limiter
      for (service, feed) in shard.feeds { report.streams[service] = feed.streamCount }
      shard.upstreams.count(into: &report)
      body(report)
    }
  }

  /// Closes everything that lives on the shard. Calls still under way are answered with that, streams are cut off. Returns what has become
  /// of all requests.
  @discardableResult
  func close() -> Accounts {
    handler.callBooks.close()
    upstreams.close()
    // Before the servers, so that those whose streams are not open yet get their answer.
    for feed in feeds.values { feed.close() }
    for server in servers { server.stop() }
    for hub in hubs.values { hub.close() }
    handler.callBooks.abandonRest()
    let accounts = accounts
    servers = []
    hubs = [:]
    feeds = [:]
    upstreams = UpstreamTable()
    handler.use(upstreams, on: reactor.loop)
    return accounts
  }
}
