import GatewayTracing
import Glibc
public import HTTPServer
public import Logging
import Reactor
public import Tracing
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
  /// Where operations are served, if they have an address of their own.
  public let admin: ListenAddress?
  private let shards: [Shard]
  private let served: ServedConfiguration
  /// Files of Unix sockets, to be removed with it.
  private let socketFiles: [UnixSocketFile]
  private let operations: Operations
  /// Reads the configuration again; nil where it does not come from a file.
  private let source: ConfigurationSource?
  /// Its own, to be ended with it; nil when it was given one.
  private let context: Context?
  private let logger: Logger

  private init(
    addresses: [ListenAddress], admin: ListenAddress?, socketFiles: [UnixSocketFile], shards: [Shard],
    served: ServedConfiguration, source: ConfigurationSource?,
    operations: Operations, context: Context?, logger: Logger
  ) {
    self.context = context
    self.socketFiles = socketFiles
    self.served = served
    self.source = source
    self.operations = operations
    self.addresses = addresses
    self.admin = admin
    self.shards = shards
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
  /// accepted. Throws, with nothing left open, when settings do not go together, an address is taken or an endpoint cannot be used. `source` is what a reload reads.
  /// `given` are sockets that listen already, for addresses of the configuration. `tracer` is told of requests and calls, in the place of
  /// what the configuration has under `tracing`; it is called on threads that must not wait.
  public static func start(
    _ configuration: Configuration, source: ConfigurationSource? = nil, given: [Listener] = [], context: Context? = nil,
    tracer: (any Tracer)? = nil, logger: Logger
  ) async throws -> Gateway {
    try configuration.check(as: "configuration")
    let count =
      configuration.http.threads > 0 ? configuration.http.threads : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    try DescriptorLimit.check(
      shards: count, servers: count * configuration.http.listen.count + 1,
      sockets: configuration.openSockets(shards: count)
    )
    // Before anything is opened: with a library that no request may be trusted to, there is no start.
    if try ParserStrictness.linked() == .lenient {
      logger.warning("\(configuration.http.limits.server.chunked.warning)")
    }
    let own = context == nil
    let context = try context ?? Context(sockets: max(1_023, 2 * configuration.openSockets(shards: count)))
    let calls = RememberedCalls(configuration)
    let access = try await Access(configuration)
    let operations = Operations()
    operations.tls = try configuration.http.tls.map { TLSIdentity(try $0.credentials()) }
    let accessLog = AccessLog(configuration.log)
    operations.accessLog = accessLog
    let tracer = tracer ?? configuration.tracing?.tracer(operations)
    var shards: [Shard] = []
    let gateway: Gateway
    do {
      for index in 0..<count {
        let reactor = try Reactor(name: "shard-\(index)")
        shards.append(
          Shard(
            reactor, configuration.http, calls: calls, operations: operations, accessLog: accessLog,
            tracer: tracer, logger: logger))
      }
      let memory = MemoryBudget(limit: configuration.http.limits.memory)
      let transcoding = BackgroundQueue(name: "transcoding")
      let shared = configuration.services.map {
        SharedService($0, memory: memory, transcoding: transcoding, logger: logger)
      }
      for shard in shards {
        try await shard.open(configuration, access, shards: shards, shared: shared, context: context, logger: logger)
      }
      await withTaskGroup { group in
        for shard in shards { group.addTask { await shard.connect(within: patience) } }
      }
      let listening = Listening(configuration, given: given, tls: operations.tls, memory: memory, logger: logger)
      let open = try await listening.open(over: shards)
      operations.listens(at: open.addresses, admin: open.admin)
      let served = ServedConfiguration(
        configuration, ServedService.all(of: configuration, shared: shared, over: shards), on: shards, memory: memory,
        access, tls: operations.tls, transcoding: transcoding, context: context, logger: logger)
      await served.begin()
      gateway = Gateway(
        addresses: open.addresses, admin: open.admin, socketFiles: open.files, shards: shards, served: served,
        source: source, operations: operations,
        context: own ? context : nil, logger: logger)
    } catch {
      await close(shards)
      throw error
    }
    operations.reload = { [weak gateway] in
      guard let gateway else { throw ReloadError("the gateway is stopping") }
      return try await gateway.reload()
    }
    return gateway
  }

  /// Stops accepting, lets what is under way finish within the configured grace, ends streams with `bye`, and closes
  /// everything. What was accepted for peers without replies leaves meanwhile, as far as they read. Returns what has become of all requests.
  @discardableResult
  public func stop() async -> Accounts {
    let grace = await served.configuration.grace
    logger.info("draining", metadata: ["grace": "\(grace)"])
    let end = Instant.monotonic() + Self.stop(of: grace)
    // To close what is cut off takes a while, which belongs to the grace as well: who stops a container kills it when that is over.
    let drain = Self.drain(of: grace)
    await served.stopReloading()
    await withTaskGroup { group in
      for shard in shards { group.addTask { await shard.drain(within: drain) } }
    }
    await served.stop()
    let accounts = await Self.close(shards)
    for file in socketFiles { file.remove() }
    operations.accessLog?.close()
    await operations.spans?.close(within: min(Self.longestClose, end - .monotonic()))
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

  /// Reads the configuration again and serves it, once those reloads have ended that were asked for before: what is new is opened first, on
  /// all threads, and is used when all of it can be. Calls and streams that are under way go on; services that have not changed keep their
  /// sockets. Those that have, or are gone, are closed when nothing of them is under way any more; their streams end with `bye`.
  ///
  /// Throws why it cannot be used; what was served before is then served still. Either is written to the log, and to ``reloads``.
  @discardableResult
  public func reload() async throws -> ReloadOutcome {
    try await reload { [source] in
      guard let source else { throw ReloadError("the configuration does not come from a file that can be read again") }
      return try source()
    }
  }

  /// What has become of its reloads.
  public var reloads: ReloadLog { operations.reloads }

  /// Serves another configuration, as ``reload()`` does.
  @discardableResult
  public func reload(_ configuration: Configuration) async throws -> ReloadOutcome {
    try await reload { configuration }
  }

  private func reload(_ read: @escaping ConfigurationSource) async throws -> ReloadOutcome {
    do {
      let outcome = try await served.reload(read)
      operations.reloads.succeeded(outcome)
      logger.notice("reloaded", metadata: outcome.metadata)
      if !outcome.fixed.isEmpty {
        logger.warning(
          "some settings have changed that are read at a start only: restart to have them",
          metadata: ["settings": "\(outcome.fixed.joined(separator: " "))"])
      }
      return outcome
    } catch {
      operations.reloads.failed("\(error)")
      logger.error("cannot reload; what was served before is served still", metadata: ["error": "\(error)"])
      throw error
    }
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

  /// The first shard is closed after the others, as it serves an address of operations. The reactors go last: what lived on them has been
  /// closed by then.
  @discardableResult
  private static func close(_ shards: [Shard]) async -> Accounts {
    var sum = Accounts()
    for shard in shards.reversed() { sum = sum + (await shard.close()) }
    for shard in shards { await shard.reactor.stop() }
    return sum
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
