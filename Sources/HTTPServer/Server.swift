import CLinux
import Glibc
public import Logging
public import Reactor

/// One listening socket and its connections, served on one reactor by libmicrohttpd daemons without threads: one for calls, and one
/// for each thousand streams, whose connections have little memory and cost the calls nothing.
///
/// Create it, use it and stop it on the reactor's thread.
public final class Server {
  /// The most connections that are open beyond the limits, so that their clients are told instead of waiting unseen; what comes
  /// beyond is closed at once.
  public static let surplus = AcceptQueue.surplus
  /// Connections of one daemon of streams: each of its runs with a stream that begins or ends walks all that sleep.
  private static let streamsPerDaemon = 1_000
  /// Connection memory beyond the head: libmicrohttpd's header records, the answer's head, and the stream's chunk.
  private static let extraMemory = 8 << 10

  /// The timeout of libmicrohttpd: later than all of ours, for `ConnectionWatch` ends connections. The library counts since the kernel took
  /// something, and that may have several megabytes for a client that takes 1 KiB a second.
  private static let idleSeconds: Int64 = 24 * 3_600

  /// The release of libmicrohttpd that the program runs with.
  public static var libraryRelease: String { Daemon.release }

  /// Where it listens.
  public let address: ListenAddress
  let isLoopback: Bool
  let options: ServerOptions
  let rules: HeadValidator.Rules
  let handler: any RequestHandler
  let logger: Logger
  private let times: ConnectionWatch.Times
  let memory: MemoryBudget
  let chunks = ChunkWriter()
  private let loop: Loop
  private var queue: AcceptQueue?
  /// The connections whose clients speak TLS; nil where they do not.
  private var tls: TLSConnections?
  /// The one for calls, and those for streams. There are none when the server has stopped.
  private var daemons: [NestedDaemon] = []
  private var exchanges: [ObjectIdentifier: Exchange] = [:]
  var requestIDs = RequestIDs()
  /// No more connections are accepted, and each answer closes its own.
  public private(set) var isQuiesced = false

  /// Starts serving. The server owns the listener from here on, and the loop the server, until `stop()`.
  ///
  /// The first server of a process runs the self-test of `ParserStrictness.linked()`.
  public convenience init(
    _ listener: Listener, options: ServerOptions = .init(), tls: TLSIdentity? = nil,
    openConnections: OpenConnections? = nil, memory: MemoryBudget? = nil, handler: any RequestHandler, on loop: Loop,
    logger: Logger
  ) throws(HTTPServerError) {
    let strictness: ParserStrictness
    do {
      strictness = try ParserStrictness.linked()
    } catch {
      listener.close()
      throw error
    }
    try self.init(
      listener, options: options, tls: tls, openConnections: openConnections, memory: memory, strictness: strictness,
      handler: handler, on: loop, logger: logger)
  }

  init(
    _ listener: Listener, options: ServerOptions, tls identity: TLSIdentity? = nil,
    openConnections: OpenConnections? = nil, memory: MemoryBudget? = nil, strictness: ParserStrictness,
    handler: any RequestHandler, on loop: Loop, logger: Logger
  ) throws(HTTPServerError) {
    self.memory = memory ?? MemoryBudget(limit: .max)
    self.options = options
    rules = HeadValidator.Rules(
      strictness: strictness, acceptsChunked: options.chunked.areAccepted(by: strictness),
      targetLimit: options.targetLimit, headersLimit: options.headersLimit)
    times = .init(
      read: options.readTimeout.nanoseconds, write: options.writeTimeout.nanoseconds,
      idle: options.idleTimeout.nanoseconds, grace: options.halfCloseGrace.nanoseconds)
    self.handler = handler
    self.logger = logger
    self.loop = loop
    address = listener.address
    isLoopback = address.isLoopback
    do throws(HTTPServerError) {
      daemons = [try start(forStreams: false)]
    } catch {
      // Only a queue closes it.
      listener.close()
      throw error
    }
    do throws(ReactorError) {
      let openConnections =
        openConnections ?? OpenConnections(limit: options.connections, perAddress: options.connectionsPerAddress)
      let tls = try identity.map { identity throws(ReactorError) in
        try TLSConnections(identity, openConnections, of: self, on: loop)
      }
      let queue = try AcceptQueue(
        listener, acceptor: Acceptor(streamPath: options.streamPath, reservedPaths: options.reservedPaths),
        openConnections: openConnections, tls: tls, server: self, on: loop)
      // Safe: the queue stays until all connections are closed.
      tls?.serve = { [unowned queue] in queue.receive($0) }
      (self.queue, self.tls) = (queue, tls)
    } catch {
      daemons[0].stop()
      daemons = []
      listener.close()
      throw HTTPServerError(call: error.call, message: error.description)
    }
    loop.append(daemons[0])
  }

  private func start(forStreams isForStreams: Bool) throws(HTTPServerError) -> NestedDaemon {
    try NestedDaemon(
      isForStreams: isForStreams,
      limits: .init(
        idleSeconds: Self.idleSeconds,
        connectionMemory: isForStreams
          ? Acceptor.streamMemory : options.headersLimit + options.targetLimit + Self.extraMemory),
      strictness: rules.strictness, server: self, on: loop)
  }

  /// Connections open now.
  public var connections: Int { exchanges.count + (queue?.count ?? 0) }

  /// Whether no request is in progress and no stream is open.
  public var isIdle: Bool { daemons.allSatisfy { $0.requests == 0 } && tls?.hasUnsent != true }

  /// Stops accepting: connections that wait in the backlog are served, later ones are refused by the kernel. Requests in
  /// progress go on, and their answers close their connections. Not from inside a handler's call.
  public func quiesce() {
    guard !isQuiesced else { return }
    queue?.stopAccepting()
    isQuiesced = true
  }

  /// Ends everything at once: open requests are abandoned, open streams closed. The server cannot be used after it. Not
  /// from inside a handler's call.
  public func stop() {
    quiesce()
    queue?.close()
    // What streams have leaves first, and then the answers of this turn: a run for the resumed connection, and one for what it has to say.
    for daemon in daemons { daemon.writeStreams(atMost: .max) }
    for _ in 0..<2 { for daemon in daemons { daemon.run() } }
    // The library aborts when a connection is still suspended, so each is resumed and run to its end first.
    for exchange in Array(exchanges.values) { exchange.perform { $0.drop() } }
    for daemon in daemons { daemon.run() }
    for daemon in daemons {
      loop.remove(daemon)
      daemon.stop()
    }
    daemons = []
    tls?.close()
    (queue, tls) = (nil, nil)
  }

  // MARK: Connections

  /// Has a daemon serve the connection.
  func take(_ accepted: Accepted, isStream: Bool) { (isStream ? streamDaemon() : daemons[0]).take(accepted) }

  /// The first one with room. All fill up in this order, so those that are not needed run empty.
  private func streamDaemon() -> NestedDaemon {
    if let daemon = daemons.dropFirst().first(where: { $0.connections < Self.streamsPerDaemon }) { return daemon }
    do throws(HTTPServerError) {
      let daemon = try start(forStreams: true)
      daemons.append(daemon)
      loop.prepend(daemon)
      return daemon
    } catch {
      logger.info("a stream is served among the calls", metadata: ["error": "\(error)"])
      return daemons[0]
    }
  }

  /// The server holds the exchange until `connectionClosed`.
  func connectionOpened(_ connection: Daemon.Connection, of daemon: NestedDaemon, _ accepted: Accepted) -> Exchange {
    let exchange = Exchange(connection, of: daemon, admission: accepted.admission, server: self)
    do throws(ReactorError) {
      let watch = try ConnectionWatch(exchange, accepted, times: times, on: loop)
      exchange.start(watch, acceptedAt: accepted.at)
    } catch {
      logger.info("connection closed: it cannot be watched", metadata: ["error": "\(error)"])
      shutdown(accepted.descriptor, CInt(SHUT_RDWR))
    }
    exchanges[ObjectIdentifier(exchange)] = exchange
    return exchange
  }

  /// A daemon could not have the connection, and has closed it.
  func connectionLost(_ accepted: Accepted) { queue?.closed(accepted.admission) }

  func connectionClosed(_ exchange: Exchange) {
    exchange.perform { $0.connectionClosed() }
    exchanges[ObjectIdentifier(exchange)] = nil
    queue?.closed(exchange.admission)
  }
}
