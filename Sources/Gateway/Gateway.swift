import Glibc
public import HTTPServer
public import Logging
import Reactor
public import ZeroMQ
import ZeroMQRPC

/// A gateway: equal shards on one set of addresses, in front of the services of a configuration.
///
/// ```swift
/// let gateway = try await Gateway.start(configuration, logger: logger)
/// await gateway.stop()
/// ```
public final class Gateway: Sendable {
  /// Where it listens, with the ports the kernel chose, in the order of the configuration.
  public let addresses: [ListenAddress]
  private let shards: [Shard]
  /// Asks services what they can be called with.
  private let describing: Task<Void, Never>
  /// Looks after the files of `auth`; nil where there are none.
  private let watching: Task<Void, Never>?
  /// Its own, to be ended with it; nil when it was given one.
  private let context: Context?
  private let grace: Duration
  private let logger: Logger

  private init(
    addresses: [ListenAddress], shards: [Shard], describing: Task<Void, Never>,
    watching: Task<Void, Never>?, context: Context?, grace: Duration,
    logger: Logger
  ) {
    self.context = context
    self.describing = describing
    self.watching = watching
    self.addresses = addresses
    self.shards = shards
    self.grace = grace
    self.logger = logger
  }

  /// How long a start waits for backends that are there, so that the first calls are not refused for want of a connection.
  private static let patience = Duration.milliseconds(250)
  /// How long a stop waits for libzmq to let go of its sockets, and be the grace over.
  private static let lastMoment = Duration.milliseconds(50)
  /// The most of the grace that is kept for closing.
  private static let longestClose = Duration.seconds(1)
  /// The most of the grace that is kept for the end of the program, which comes after a stop.
  private static let longestExit = Duration.milliseconds(100)

  /// Opens the backends' sockets, gives them a quarter of a second to connect, then listens; returns when connections are
  /// accepted. Throws, with nothing left open, when an address is taken or an endpoint cannot be used.
  public static func start(
    _ configuration: Configuration, context: Context? = nil, logger: Logger
  ) async throws -> Gateway {
    let count =
      configuration.http.threads > 0 ? configuration.http.threads : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    try DescriptorLimit.check(
      shards: count, servers: count * configuration.http.listen.count, sockets: configuration.openSockets(shards: count)
    )
    // Before anything is opened: with a library that no request may be trusted to, there is no start.
    if try ParserStrictness.linked() == .lenient {
      logger.warning("\(configuration.http.limits.server.chunked.warning)")
    }
    let own = context == nil
    let context = try context ?? Context(sockets: max(1_023, 2 * configuration.openSockets(shards: count)))
    let calls = RememberedCalls(configuration)
    let limiter = ClientLimiter(configuration.limits, tellsCallersApart: configuration.auth.tellsCallersApart)
    let callers = try await CallerDirectory(configuration.auth, limiter)
    var shards: [Shard] = []
    let gateway: Gateway
    do {
      for index in 0..<count {
        let reactor = try Reactor(name: "shard-\(index)")
        shards.append(
          Shard(
            reactor, configuration.http, configuration.auth, callers: callers, limiter: limiter, calls: calls,
            logger: logger))
      }
      let memory = MemoryBudget(limit: configuration.http.limits.memory)
      let transcoding = BackgroundQueue(name: "transcoding")
      let shared = configuration.services.map {
        SharedService($0, memory: memory, transcoding: transcoding, logger: logger)
      }
      for shard in shards {
        try await shard.open(configuration, shards: shards, shared: shared, context: context, logger: logger)
      }
      await withTaskGroup { group in
        for shard in shards { group.addTask { await shard.connect(within: patience) } }
      }
      let addresses = try await listen(configuration, shards, memory: memory, logger: logger)
      let descriptions = DescriptionReader(
        configuration, shared: shared, in: context, on: shards[0].reactor, logger: logger)
      let files = callers.map {
        CredentialFiles(auth: configuration.auth, directory: $0, shards: shards, logger: logger)
      }
      gateway = Gateway(
        addresses: addresses, shards: shards, describing: Task { await descriptions.run() },
        watching: files.map { files in Task { await files.run() } },
        context: own ? context : nil, grace: configuration.grace, logger: logger)
    } catch {
      await close(shards)
      throw error
    }
    return gateway
  }

  private static func listen(
    _ configuration: Configuration, _ shards: [Shard], memory: MemoryBudget, logger: Logger
  ) async throws -> [ListenAddress] {
    let http = configuration.http
    let fitting = DescriptorLimit.connections(
      besides: configuration.socketCount(shards: shards.count), servers: shards.count * http.listen.count)
    if fitting < http.limits.server.connections {
      logger.warning(
        "fewer connections than configured: the limit on open files is too low (ulimit -n)",
        metadata: ["configured": "\(http.limits.server.connections)", "possible": "\(fitting)"])
    }
    var options = http.limits.server
    options.streamPath = http.prefix + "/sub/"
    // Found without the prefix as well.
    options.reservedPaths = ["/live", "/ready"].flatMap { Set([$0, http.prefix + $0]) }
    let openConnections = OpenConnections(
      limit: min(fitting, options.connections), perAddress: options.connectionsPerAddress)
    var addresses: [ListenAddress] = []
    /// Those that no shard has taken over yet.
    var opened: [(shard: Shard, listener: Listener)] = []
    do {
      for var address in http.listen {
        // Shards share the port among themselves, which would let them share it with another gateway as well, unnoticed:
        // being alone is found out first.
        if shards.count > 1, address.port != 0 { try Listener.open(address).close() }
        for shard in shards {
          let listener = try Listener.open(address, reusePort: shards.count > 1)
          // The first of the shards learns the port that the others share.
          address = listener.address
          opened.append((shard, listener))
        }
        addresses.append(address)
      }
      while let (shard, listener) = opened.popLast() {
        try await shard.listen(
          on: listener, options: options, openConnections: openConnections, memory: memory, logger: logger)
      }
    } catch {
      for (_, listener) in opened { listener.close() }
      throw error
    }
    return addresses
  }

  /// Stops accepting, lets what is under way finish within the configured grace, ends streams with `bye`, and closes
  /// everything. What was accepted for peers without replies leaves meanwhile, as far as they read. Returns what has become of all requests.
  @discardableResult
  public func stop() async -> Accounts {
    logger.info("draining", metadata: ["grace": "\(grace)"])
    let end = Instant.monotonic() + Self.stop(of: grace)
    // To close what is cut off takes a while, which belongs to the grace as well: who stops a container kills it when that is over.
    let drain = Self.drain(of: grace)
    await withTaskGroup { group in
      for shard in shards { group.addTask { await shard.drain(within: drain) } }
    }
    describing.cancel()
    watching?.cancel()
    await watching?.value
    await describing.value
    let accounts = await Self.close(shards)
    // Pushes and events that libzmq has taken leave as fast as their peers read.
    if let context, await !context.close(within: max(Self.lastMoment, end - .monotonic())) {
      logger.warning(
        """
        pushes or events that were accepted had not left when the grace was over, and are lost: their peers read too slowly; \
        libzmq does not say how many
        """, metadata: ["grace": "\(grace)"])
    }
    for (service, events) in accounts.eventsOfServices.sorted(by: { $0.key < $1.key }) {
      logger.info("the events of a service", metadata: ["service": "\(service)"].merging(events.metadata) { $1 })
    }
    logger.info("stopped", metadata: accounts.metadata)
    return accounts
  }

  /// How much of the grace is for all of a stop: whoever sent the signal counts until the program has ended.
  static func stop(of grace: Duration) -> Duration { grace - min(grace / 20, longestExit) }

  /// How much of the grace is for what is under way.
  static func drain(of grace: Duration) -> Duration { grace - min(grace / 10, longestClose) }

  /// What has become of the requests of all shards so far. Not to be asked after `stop()`.
  public var accounts: Accounts {
    get async {
      var sum = Accounts()
      for shard in shards { sum = sum + (await shard.accounts) }
      return sum
    }
  }

  /// The reactors go last: what lived on them has been closed by then.
  @discardableResult
  private static func close(_ shards: [Shard]) async -> Accounts {
    var sum = Accounts()
    for shard in shards { sum = sum + (await shard.close()) }
    for shard in shards { await shard.reactor.stop() }
    return sum
  }
}

extension Accounts {
  /// As a line of the log tells them.
  fileprivate var metadata: Logger.Metadata {
    [
      "accepted": "\(accepted)", "answered": "\(answered)", "refused": "\(refused)", "failed": "\(failed)",
      "abandoned": "\(abandoned)", "late-replies": "\(lateReplies.count)",
      "calls": "\(calls.accepted)", "calls-answered": "\(calls.answered)", "calls-refused": "\(calls.refused)",
      "calls-failed": "\(calls.failed)", "calls-abandoned": "\(calls.abandoned)",
      "joined-calls": "\(joinedCalls)", "kept-results": "\(keptResults)",
    ].merging(events.metadata) { $1 }
  }
}

extension EventAccounts {
  /// As a line of the log tells them.
  fileprivate var metadata: Logger.Metadata {
    [
      "events": "\(numbered)", "streams": "\(streams)", "events-passed": "\(passed)",
      "events-delivered": "\(delivered)",
      "events-filtered": "\(filtered)", "events-lost": "\(lost)", "events-superseded": "\(superseded)",
      "events-unsent": "\(unsent)",
    ]
  }
}

extension ChunkedBodies {
  /// What a lenient library makes weaker.
  fileprivate var warning: String {
    "libmicrohttpd before 1.0 is linked, which lets malformed requests through: some are read as other proxies may not read "
      + "them, and chunked bodies are "
      + (self == .accept ? "accepted without a check of their framing" : "refused with 411")
      + "; what holds is in docs/security.md"
  }
}

extension Configuration {
  /// Sockets of all shards: one for each endpoint or pattern, twice that for monitors and their ends, and as much to spare for
  /// connections that are replaced.
  fileprivate func socketCount(shards: Int) -> Int { openSockets(shards: shards) * 6 }

  /// Sockets of all shards, their monitors aside.
  fileprivate func openSockets(shards: Int) -> Int {
    let sockets = services.reduce(0) { sum, service in
      switch service.pattern {
      case .rpc(let rpc): sum + max(rpc.connect.count, 1)
      case .pipeline: sum + 1
      case .pubsub: sum + 2
      }
    }
    return sockets * shards
  }
}
