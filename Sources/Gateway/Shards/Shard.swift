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
  private var desk: Desk?
  private var servers: [Server] = []
  private var idle: Idle?

  init(_ reactor: Reactor) {
    self.reactor = reactor
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  /// Does something on the shard: at once when the caller is there, else after all that was posted before.
  nonisolated func post(_ body: @escaping @Sendable (isolated Shard) -> Void) {
    if reactor.isCurrent { return assumeIsolated(body) }
    reactor.submit { self.assumeIsolated(body) }
  }

  /// Opens the sockets of all services. `shards` are all shards of the gateway: a service's events come in on one of them.
  func open(
    _ configuration: Configuration, shards: [Shard], inFlight: [String: InFlight], context: Context, logger: Logger
  ) throws {
    let loop = reactor.loop
    let desk = Desk(prefix: configuration.http.prefix, logger: logger, loop: loop)
    self.desk = desk
    for (index, service) in configuration.services.enumerated() {
      var logger = logger
      logger[metadataKey: "service"] = "\(service.name)"
      switch service.pattern {
      case .rpc(let rpc):
        desk.backends[service.name] = .rpc(
          try RPCBackend(
            service, rpc, in: configuration, inFlight: inFlight[service.name] ?? InFlight(limit: rpc.inFlight),
            context: context, loop: loop, logger: logger))
      case .pipeline(let pipeline):
        desk.backends[service.name] = .pipeline(
          try PipelineBackend(service, pipeline, in: configuration, context: context, loop: loop, logger: logger))
      case .pubsub(let pubsub):
        let home = shards[index % shards.count]
        if let subscribe = pubsub.subscribe {
          feeds[service.name] = EventFeed(service.name, subscribe, shard: self, home: home, loop: loop)
          if home === self {
            hubs[service.name] = try EventHub(
              service, subscribe, limits: configuration, context: context, loop: loop, logger: logger)
          }
        }
        desk.backends[service.name] = .pubsub(
          try PubSubBackend(
            service, pubsub, in: configuration, feed: feeds[service.name], context: context, loop: loop, logger: logger)
        )
      }
    }
  }

  /// Starts serving on the sockets, which are this shard's from here on.
  func listen(
    on listeners: [Listener], options: ServerOptions, admission: Admission, logger: Logger
  ) throws {
    guard let desk else { return }
    for listener in listeners {
      servers.append(
        try Server(
          listener, options: options, admission: admission, handler: desk, on: reactor.loop, logger: logger))
    }
  }

  /// Refuses new work, ends the streams, and returns when all that is under way is answered, or the time is over.
  func drain(within grace: Duration) async {
    guard let desk else { return }
    desk.isDraining = true
    for server in servers { server.quiesce() }
    for feed in feeds.values { feed.drain() }
    let (servers, loop) = (servers, reactor.loop)
    await withCheckedContinuation { done in
      idle = Idle(servers, loop: loop, deadline: loop.now + grace) { done.resume() }
    }
    idle = nil
  }

  /// Closes everything that lives on the shard. Calls still under way are answered with that, streams are cut off.
  func close() {
    for backend in (desk?.backends ?? [:]).values { backend.close() }
    for server in servers { server.stop() }
    for hub in hubs.values { hub.close() }
    servers = []
    hubs = [:]
    feeds = [:]
    desk?.backends = [:]
    desk = nil
  }
}

/// Waits, without asking again and again, until servers have nothing under way.
private final class Idle: TurnEnd, Alarm {
  private let servers: [Server]
  private let loop: Loop
  private var deadline: Deadline?
  private var done: (() -> Void)?

  init(_ servers: [Server], loop: Loop, deadline: Instant, done: @escaping () -> Void) {
    self.servers = servers
    self.loop = loop
    self.done = done
    self.deadline = loop.schedule(at: deadline, self)
    // After the servers, so that it sees what the turn has finished.
    loop.append(self)
  }

  func finishTurn() -> Instant? {
    if servers.allSatisfy(\.isIdle) { finish() }
    return nil
  }

  func ring(_ deadline: Deadline) { finish() }

  private func finish() {
    guard let done = done.take() else { return }
    if let deadline { loop.cancel(deadline) }
    loop.remove(self)
    done()
  }
}
