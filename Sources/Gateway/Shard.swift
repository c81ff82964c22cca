import HTTPServer
import Logging
import Reactor
import Tracing
import ZeroMQ
import ZeroMQRPC

/// One thread and everything on it: HTTP connections, the sockets behind them, streams. A gateway is some equal shards.
actor Shard {
  nonisolated let reactor: Reactor
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private let handler: GatewayHandler
  /// Where requests for operations arrive, if they have an address of their own.
  private let operationsHandler: GatewayHandler
  private let operations: Operations
  /// What is asked of the service of `auth.decision`.
  private let decisions: Decisions
  /// The services that requests are for.
  private(set) var upstreams = UpstreamTable()
  /// All services that are open: those that requests are for, those that wait to be used, and those that end.
  private var services: [ObjectIdentifier: ShardService] = [:]
  /// What is to be used next.
  private var prepared: [ShardService] = []
  /// Who may ask, and how much.
  private var access = Access.open
  /// What requests are served with that began before a reload.
  private var formerServings: [Serving] = []
  /// What became of the events and calls of services that have ended.
  private var past = Accounts()
  private var pastReport = ShardReport()
  /// Whether nothing is waited for any more that ends after a reload.
  private var isStopping = false
  private var servers: [Server] = []
  /// That of operations, if they have an address of their own and this shard serves it.
  private var operationsServer: Server?
  private var openConnections: OpenConnections?

  /// A shard without services: it can listen, and knows of nothing to serve until `open`.
  init(
    _ reactor: Reactor, _ http: Configuration.HTTP, calls: RememberedCalls = .init(), operations: Operations = .init(),
    accessLog: AccessLog? = nil, tracer: (any Tracer)? = nil, logger: Logger
  ) {
    (self.reactor, self.operations) = (reactor, operations)
    unownedExecutor = reactor.asUnownedSerialExecutor()
    decisions = Decisions(on: reactor, logger: logger)
    handler = GatewayHandler(
      http, calls, scope: http.admin == nil ? .everything : .services, accessLog: accessLog, tracer: tracer,
      decisions: decisions, logger: logger)
    operationsHandler = GatewayHandler(http, calls, scope: .operations, decisions: decisions, logger: logger)
  }

  /// Does something on the shard: at once when the caller is there, else after all that was posted before.
  private nonisolated func post(_ body: @escaping @Sendable (isolated Shard) -> Void) {
    if reactor.isCurrent { return assumeIsolated(body) }
    reactor.submit { self.assumeIsolated(body) }
  }

  /// Has the hub of the service, which lives on this shard, do what the feed of a shard asks. When that is this shard too, it is
  /// done, and answered, before this returns.
  nonisolated func ask(_ service: SharedService, _ request: EventHub.Request, from shard: Shard) {
    post { $0.services[ObjectIdentifier(service)]?.hub?.receive(request, from: shard) }
  }

  /// Tells the feed of the service on this shard what its hub has for it. When the hub is on this shard too, the feed has it before
  /// this returns.
  nonisolated func tell(_ service: SharedService, _ message: EventFeed.Message) {
    post { $0.services[ObjectIdentifier(service)]?.feed?.receive(message) }
  }

  /// Has the shard that is home to the service, which this is, do what another shard asks of its socket.
  nonisolated func ask(_ service: SharedService, _ request: DistantSocket.Request, from shard: Shard) {
    post { home in
      if let known = home.services[ObjectIdentifier(service)] { return known.receive(request, from: shard) }
      // The shard is closed.
      switch request {
      case .call(_, let number, _, _, _), .send(_, let number):
        shard.tell(service, .failed(CallFailure(.closed, sent: false)), of: number)
      case .cancel, .expire: break
      }
    }
  }

  /// Tells what became of a call that this shard had handed over.
  nonisolated func tell(_ service: SharedService, _ outcome: DistantSocket.Outcome, of number: UInt32) {
    post { $0.services[ObjectIdentifier(service)]?.receive(outcome, of: number) }
  }

  /// All streams end, and are to be asked for anew.
  nonisolated func endStreams() {
    post { shard in
      for service in shard.services.values { service.endStreams() }
    }
  }

  /// Streams end whose credentials were taken back.
  nonisolated func endStreamsWithoutCredentials() {
    post { shard in
      for service in shard.services.values { service.endStreamsWithoutCredentials() }
    }
  }

  /// Opens the sockets of all services, and serves them. `shards` are all shards of the gateway: a service's events come in on one of them,
  /// its home, which also has the socket where others connect to the gateway.
  /// `shared` is what they share of each service, in the order of the configuration.
  func open(
    _ configuration: Configuration, _ access: Access = .open, shards: [Shard], shared: [SharedService],
    context: Context, logger: Logger
  ) throws {
    try prepare(
      configuration, ServedService.all(of: configuration, shared: shared, over: shards), context: context,
      logger: logger)
    usePrepared(configuration, access, shards: shards)
  }

  // MARK: Reload

  /// Opens the sockets of those services that are not open yet, and connects the others to what is new to them; requests go on as before until
  /// `usePrepared`. Throws, with all of that undone, when an endpoint cannot be used.
  func prepare(
    _ configuration: Configuration, _ services: [ServedService], context: Context, logger: Logger
  ) throws {
    do {
      for service in services {
        if let open = self.services[ObjectIdentifier(service.shared)] {
          prepared.append(open.altered(service.configuration, in: configuration))
          if prepared.last !== open { try prepared.last?.connect() }
          continue
        }
        let opened = try ShardService(
          service, in: configuration, on: self, context: context, loop: reactor.loop, logger: logger)
        prepared.append(opened)
        self.services[ObjectIdentifier(service.shared)] = opened
      }
    } catch {
      dropPrepared()
      throw error
    }
  }

  /// Closes what was prepared and is not used after all.
  func dropPrepared() {
    for service in prepared {
      if let former = upstreams.services.first(where: { $0.shared === service.shared }) {
        former.settle()
      } else {
        service.close()
        service.closeHub()
        services[ObjectIdentifier(service.shared)] = nil
      }
    }
    prepared = []
  }

  /// Requests that begin from now on are served with what was prepared.
  func usePrepared(_ configuration: Configuration, _ access: Access, shards: [Shard]) {
    self.access = access
    upstreams = UpstreamTable(
      prepared, longestBatch: configuration.http.limits.batch, prefix: configuration.http.prefix)
    for service in prepared {
      let former = services.updateValue(service, forKey: ObjectIdentifier(service.shared))
      if let former, former !== service { service.succeed(former) }
    }
    prepared = []
    decisions.use(configuration.auth.decision, upstreams)
    let scraper = Scraper(shards, operations, on: self)
    let (http, auth) = (configuration.http, configuration.auth)
    formerServings.append(handler.use(upstreams, Checks(http, auth, access), scraper, on: reactor.loop))
    let checks = Checks(http.ofOperations, auth, http.accessToOperations(access))
    operationsHandler.use(upstreams, checks, scraper, on: reactor.loop)
    formerServings.removeAll { $0.underWay == 0 }
  }

  /// Ends the streams of services that requests are no longer for, within the grace. Returns when no request, call or stream of theirs is
  /// under way on this shard: calls have their deadlines, and streams are told to end.
  func retire(_ services: [SharedService], within grace: Duration) async {
    let (leaving, servings) = (services.compactMap { self.services[ObjectIdentifier($0)] }, formerServings)
    for service in leaving { service.drain(within: grace) }
    // Longer than any call or stream.
    await wait(until: reactor.loop.now + .hours(48)) { [self] in
      isStopping || servings.allSatisfy { $0.underWay == 0 } && leaving.allSatisfy(\.isIdle)
    }
  }

  /// Closes services that have been retired. Calls that are under way all the same are answered with that.
  func close(_ services: [SharedService]) {
    // All that is left is closed together.
    if isStopping { return }
    for service in services {
      guard let closing = self.services[ObjectIdentifier(service)] else { continue }
      closing.close()
      closing.closeHub()
      closing.count(into: &past)
      closing.count(into: &pastReport)
      self.services[ObjectIdentifier(service)] = nil
    }
  }

  /// Waits no more for what is retired.
  func stopRetiring() { isStopping = true }

  // MARK: Serving

  /// Returns when every backend is connected, of what is opened for `usePrepared` if anything is, or the time is over.
  func connect(within patience: Duration) async {
    // Those that stay as they are have waited before.
    let changed = prepared.filter { service in !upstreams.services.contains { $0 === service } }
    let services = prepared.isEmpty ? upstreams.services : changed
    await wait(until: reactor.loop.now + patience) {
      services.allSatisfy { $0.upstream.isConnected && $0.hub?.isConnected ?? true }
    }
  }

  /// Starts serving on the socket, which is this shard's from here on: services, or operations alone.
  func listen(
    on listener: Listener, options: ServerOptions, tls: TLSIdentity?, openConnections: OpenConnections,
    memory: MemoryBudget, forOperations: Bool = false, logger: Logger
  ) throws {
    let server = try Server(
      listener, options: options, tls: tls, openConnections: openConnections, memory: memory,
      handler: forOperations ? operationsHandler : handler, on: reactor.loop, logger: logger)
    if forOperations { return operationsServer = server }
    self.openConnections = openConnections
    servers.append(server)
  }

  /// Refuses new work, asks the streams to end, and returns when all that is under way is answered, or the time is over. `Gateway.stop`
  /// then closes the shard, which cuts off what is left. An address of operations tells meanwhile how far it has come.
  func drain(within grace: Duration) async {
    for server in servers { server.quiesce() }
    operationsHandler.isStopping = true
    for service in services.values { service.drain(within: grace) }
    let (servers, books) = (servers, handler.callBooks)
    let (end, isIdle) = (reactor.loop.now + grace, { servers.allSatisfy(\.isIdle) && books.accounts.underWay == 0 })
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
      _ = LoopWait(loop, until: deadline, isMet) { done.resume() }
    }
  }

  /// What has become of the requests of this shard.
  var accounts: Accounts {
    var accounts = past + handler.accounts
    accounts.calls = handler.callBooks.accounts
    for service in services.values { service.count(into: &accounts) }
    return accounts
  }

  /// Tells what the shard has counted so far: at once when the caller is on it, else in a turn of it.
  nonisolated func report(to body: @escaping @Sendable (ShardReport) -> Void) {
    post { shard in
      var report = ShardReport(accounts: shard.accounts, requests: shard.handler.counters)
      report.openConnections = shard.openConnections
      report.limiter = shard.access.limiter
      report.tickets = shard.access.callers?.tickets
      report.decisions = DecisionReport(shard.decisions)
      // Their methods are those that are told apart.
      let inUse = shard.upstreams.services
      for service in inUse { service.count(into: &report) }
      for service in shard.services.values where !inUse.contains(where: { $0 === service }) {
        service.count(into: &report)
      }
      report.add(shard.pastReport)
      body(report)
    }
  }

  /// Closes everything that lives on the shard. Calls still under way are answered with that, streams are cut off. Returns what has become
  /// of all requests.
  @discardableResult
  func close() -> Accounts {
    handler.callBooks.close()
    // Before the servers, so that those whose streams are not open yet get their answer.
    for service in services.values { service.close() }
    for server in servers + (operationsServer.map { [$0] } ?? []) { server.stop() }
    for service in services.values { service.closeHub() }
    handler.callBooks.abandonRest()
    let accounts = accounts
    (servers, operationsServer, services) = ([], nil, [:])
    (upstreams, prepared, formerServings) = (UpstreamTable(), [], [])
    decisions.use(nil, upstreams)
    for handler in [handler, operationsHandler] {
      handler.use(upstreams, on: reactor.loop)
      handler.close()
    }
    return accounts
  }
}
