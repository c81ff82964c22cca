import CLinux
import CMicroHTTPD
public import Logging
public import Reactor

/// One listening socket and its connections, served on one reactor by one libmicrohttpd daemon without threads.
///
/// The daemon's epoll descriptor is nested in the reactor's. Whatever a turn answers or wakes is sent by one run of the
/// daemon at the turn's end. Create it, use it and stop it on the reactor's thread.
public final class Server: Source, EndOfTurn {
  /// Connections accepted beyond the limit, so that their clients are told instead of waiting unseen; more are closed at once.
  public static let surplus = 64
  /// Connection memory beyond the head: libmicrohttpd's header records, the answer's head, and the stream's chunk.
  private static let extraMemory = 8 << 10

  /// Where it listens.
  public let address: ListenAddress
  let options: ServerOptions
  let handler: any Handler
  let logger: Logger
  /// The times of the options in nanoseconds.
  let readTime, idleTime, graceTime: Int64
  private let openConnections: SharedLimit
  private let loop: Loop
  private let listener: CInt
  private var daemon: OpaquePointer?
  private var watch: Watch?
  private var isDue = true
  private var due = Instant(nanoseconds: .max)
  private var exchanges: [ObjectIdentifier: Exchange] = [:]
  private var requests = 0
  /// No more connections are accepted, and each answer closes its own.
  public private(set) var isQuiesced = false

  /// Starts serving. The server owns the listener from here on, and the loop the server, until `stop()`.
  public init(
    _ listener: Listener, options: ServerOptions = .init(), openConnections: SharedLimit? = nil, handler: any Handler,
    on loop: Loop, logger: Logger
  ) throws(HTTPServerError) {
    self.openConnections = openConnections ?? SharedLimit(limit: options.connections)
    self.options = options
    readTime = options.readTimeout.nanoseconds
    idleTime = options.idleTimeout.nanoseconds
    graceTime = options.halfCloseGrace.nanoseconds
    self.handler = handler
    self.logger = logger
    self.loop = loop
    address = listener.address
    self.listener = listener.descriptor
    try Self.checkLibrary()
    cmhd_ignore_broken_pipes()
    let settings = cmhd_settings(
      listener: listener.descriptor, connections: UInt32(clamping: options.connections + Self.surplus),
      connections_per_address: UInt32(clamping: options.connectionsPerAddress),
      timeout_seconds: UInt32(clamping: max(1, options.idleTimeout.components.seconds + 1)),
      connection_memory: options.headersLimit + options.targetLimit + Self.extraMemory)
    let owner = Unmanaged.passUnretained(self).toOpaque()
    guard
      let daemon = cmhd_start(
        settings, handleRequest, beginRequest, endRequest, notifyConnection, logMessage, owner)
    else { throw .last("MHD_start_daemon") }
    self.daemon = daemon
    do throws(ReactorError) {
      watch = try loop.watch(cmhd_epoll_descriptor(daemon), self)
    } catch {
      MHD_stop_daemon(daemon)
      self.daemon = nil
      throw HTTPServerError(call: error.call, message: error.description)
    }
    loop.append(self)
  }

  /// The wire gate knows the memory layout of one release.
  private static func checkLibrary() throws(HTTPServerError) {
    let version = String(cString: MHD_get_version())
    guard version == CMHD_KNOWN_VERSION else {
      throw HTTPServerError(
        call: "libmicrohttpd",
        message: "version \(version) is linked, but requests are checked for \(CMHD_KNOWN_VERSION)")
    }
  }

  /// Connections open now.
  public var connections: Int { exchanges.count }

  /// Whether no request is in progress and no stream is open.
  public var isIdle: Bool { requests == 0 }

  /// Stops accepting: connections that wait in the backlog are served, later ones are refused by the kernel. Requests in
  /// progress go on, and their answers close their connections. Not from inside a handler's call.
  public func quiesce() {
    guard let daemon, !isQuiesced else { return }
    acceptBacklog()
    isQuiesced = true
    let listener = MHD_quiesce_daemon(daemon)
    if listener >= 0 { _ = close(listener) }
    schedule()
  }

  /// Ends everything at once: open requests are abandoned, open streams closed. The server cannot be used after it. Not
  /// from inside a handler's call.
  public func stop() {
    guard let daemon else { return }
    quiesce()
    // Answers of this turn leave first: a run for the resumed connection, and one for what it has to say.
    for _ in 0..<2 { cmhd_run(daemon) }
    // The library aborts when a connection is still suspended, so each is resumed and run to its end first.
    for exchange in Array(exchanges.values) { exchange.drop() }
    cmhd_run(daemon)
    watch?.cancel()
    watch = nil
    loop.remove(self)
    MHD_stop_daemon(daemon)
    self.daemon = nil
  }

  /// Runs the daemon until the kernel has no accepted connection left for it, a bounded number of times.
  private func acceptBacklog() {
    guard let daemon else { return }
    for _ in 0..<512 {
      var listening = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      guard poll(&listening, 1, 0) == 1, Int32(listening.revents) & POLLIN != 0 else { return }
      cmhd_run(daemon)
    }
  }

  // MARK: The loop

  public func turn(_ events: PollEvents) { isDue = true }

  public func endTurn() -> Instant? {
    guard let daemon else { return nil }
    if isDue || due <= loop.now {
      isDue = false
      cmhd_run(daemon)
      let wait = cmhd_wait(daemon)
      due = wait < 0 ? Instant(nanoseconds: .max) : loop.now + .milliseconds(wait)
    }
    return due.nanoseconds < .max ? due : nil
  }

  /// Makes the daemon run at the end of this turn.
  func schedule() { isDue = true }

  // MARK: Connections

  func requestBegan() { requests += 1 }
  func requestEnded() { requests -= 1 }

  func open(_ connection: OpaquePointer) -> Exchange {
    let descriptor = cmhd_descriptor(connection)
    let exchange = Exchange(
      connection, descriptor: descriptor, isSurplus: !openConnections.add(), server: self)
    do throws(ReactorError) {
      let watcher = try ConnectionWatch(exchange, descriptor: descriptor, period: readTime, on: loop)
      watcher.expect(within: readTime)
      exchange.watcher = watcher
    } catch {
      logger.info("connection closed: it cannot be watched", metadata: ["error": "\(error)"])
      shutdown(descriptor, CInt(SHUT_RDWR))
    }
    exchanges[ObjectIdentifier(exchange)] = exchange
    // Telling them takes a descriptor each: beyond a few, that would use up what the others live on.
    if openConnections.count > openConnections.limit + Self.surplus { shutdown(descriptor, CInt(SHUT_RDWR)) }
    return exchange
  }

  func forget(_ exchange: Exchange) {
    openConnections.leave()
    exchange.close()
    exchanges[ObjectIdentifier(exchange)] = nil
  }
}
