import CLinux
import Glibc
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
  /// Between runs of a daemon that wants to run and does nothing.
  private static let pause = Duration.milliseconds(5)

  /// Where it listens.
  public let address: ListenAddress
  let isLoopback: Bool
  let options: ServerOptions
  let rules: HeadValidator.Rules
  let handler: any Handler
  let logger: Logger
  private let times: ConnectionWatch.Times
  let memory: MemoryBudget
  private let openConnections: SharedLimit
  private let loop: Loop
  private let listener: CInt
  private var daemon: Daemon?
  private var watch: Watch?
  private var isDue = true
  /// The daemon has called back in its present run.
  private var hasCalledBack = false
  private var due = Instant(nanoseconds: .max)
  private var exchanges: [ObjectIdentifier: Exchange] = [:]
  /// The exchanges whose answers the next run writes, and those of the present run.
  private var answering: [Exchange] = []
  private var running: [Exchange] = []
  var requestIDs = RequestIDs()
  private var requests = 0
  /// No more connections are accepted, and each answer closes its own.
  public private(set) var isQuiesced = false

  /// Starts serving. The server owns the listener from here on, and the loop the server, until `stop()`.
  ///
  /// The first server of a process runs the self-test of `ParserStrictness.linked()`.
  public convenience init(
    _ listener: Listener, options: ServerOptions = .init(), openConnections: SharedLimit? = nil,
    memory: MemoryBudget? = nil, handler: any Handler, on loop: Loop, logger: Logger
  ) throws(HTTPServerError) {
    let strictness: ParserStrictness
    do {
      strictness = try ParserStrictness.linked()
    } catch {
      listener.close()
      throw error
    }
    try self.init(
      listener, options: options, openConnections: openConnections, memory: memory, strictness: strictness,
      handler: handler, on: loop, logger: logger)
  }

  init(
    _ listener: Listener, options: ServerOptions, openConnections: SharedLimit? = nil, memory: MemoryBudget? = nil,
    strictness: ParserStrictness, handler: any Handler, on loop: Loop, logger: Logger
  ) throws(HTTPServerError) {
    self.memory = memory ?? MemoryBudget(limit: .max)
    self.openConnections = openConnections ?? SharedLimit(limit: options.connections)
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
    self.listener = listener.descriptor
    let daemon: Daemon
    do throws(HTTPServerError) {
      try listener.endConnections(unacknowledgedFor: options.writeTimeout)
      daemon = try Daemon(
        listener: listener.descriptor,
        limits: .init(
          connections: options.connections + Self.surplus, connectionsPerAddress: options.connectionsPerAddress,
          // Later than each of our own times: it only catches what they might miss.
          idleSeconds: max(options.readTimeout, options.writeTimeout, options.idleTimeout).components.seconds + 2,
          connectionMemory: options.headersLimit + options.targetLimit + Self.extraMemory),
        strictness: strictness, server: self)
    } catch {
      // Only a daemon that has started closes it.
      listener.close()
      throw error
    }
    self.daemon = daemon
    do throws(ReactorError) {
      watch = try loop.watch(daemon.epollDescriptor, self)
    } catch {
      daemon.stop()
      self.daemon = nil
      throw HTTPServerError(call: error.call, message: error.description)
    }
    loop.append(self)
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
    if let listener = daemon.quiesce() { _ = close(listener) }
    schedule()
  }

  /// Ends everything at once: open requests are abandoned, open streams closed. The server cannot be used after it. Not
  /// from inside a handler's call.
  public func stop() {
    guard let daemon else { return }
    quiesce()
    // Answers of this turn leave first: a run for the resumed connection, and one for what it has to say.
    for _ in 0..<2 { run(daemon) }
    // The library aborts when a connection is still suspended, so each is resumed and run to its end first.
    for exchange in Array(exchanges.values) { exchange.perform { $0.drop() } }
    run(daemon)
    watch?.cancel()
    watch = nil
    loop.remove(self)
    daemon.stop()
    self.daemon = nil
  }

  /// Runs the daemon until the kernel has no accepted connection left for it, a bounded number of times.
  private func acceptBacklog() {
    guard let daemon else { return }
    for _ in 0..<512 {
      var listening = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      guard poll(&listening, 1, 0) == 1, Int32(listening.revents) & POLLIN != 0 else { return }
      run(daemon)
    }
  }

  /// Runs the daemon; twice when there are answers to calls: in the second run it looks for the next requests of those whose answers
  /// it wrote in the first.
  private func run(_ daemon: Daemon) {
    swap(&answering, &running)
    daemon.run()
    guard !running.isEmpty else { return }
    for exchange in running { exchange.hasRun() }
    running.removeAll(keepingCapacity: true)
    daemon.run()
  }

  // MARK: The loop

  public func turn(_ events: PollEvents) { isDue = true }

  public func endTurn() -> Instant? {
    guard let daemon else { return nil }
    if isDue || due <= loop.now {
      let wasAsked = isDue
      isDue = false
      hasCalledBack = false
      run(daemon)
      due = daemon.patience.map { loop.now + .milliseconds($0) } ?? Instant(nanoseconds: .max)
      // A line of a chunked body that is longer than the connection's memory makes libmicrohttpd 0.9.75 want to run at once for
      // as long as the connection lasts, with nothing to do.
      if !wasAsked, !hasCalledBack { due = max(due, loop.now + Self.pause) }
    }
    return due.nanoseconds < .max ? due : nil
  }

  /// The daemon is getting on with something.
  func calledBack() { hasCalledBack = true }

  /// Makes the daemon run at the end of this turn, to write the answer of an exchange if one is given, and tells that one afterwards.
  func schedule(_ exchange: Exchange? = nil) {
    isDue = true
    if let exchange { answering.append(exchange) }
  }

  // MARK: Connections

  func requestBegan() { requests += 1 }
  func requestEnded() { requests -= 1 }

  /// The server holds the exchange until `connectionClosed`.
  func connectionOpened(_ connection: Daemon.Connection) -> Exchange {
    calledBack()
    let descriptor = connection.descriptor
    let exchange = Exchange(connection, isSurplus: !openConnections.add(), server: self)
    do throws(ReactorError) {
      exchange.start(try ConnectionWatch(exchange, descriptor: descriptor, times: times, on: loop))
    } catch {
      logger.info("connection closed: it cannot be watched", metadata: ["error": "\(error)"])
      shutdown(descriptor, CInt(SHUT_RDWR))
    }
    exchanges[ObjectIdentifier(exchange)] = exchange
    // An answer for each would need as many descriptors: beyond a few, they would be missing elsewhere.
    if openConnections.count > openConnections.limit + Self.surplus { shutdown(descriptor, CInt(SHUT_RDWR)) }
    return exchange
  }

  func connectionClosed(_ exchange: Exchange) {
    calledBack()
    openConnections.leave()
    exchange.perform { $0.connectionClosed() }
    exchanges[ObjectIdentifier(exchange)] = nil
  }
}

/// Makes names for requests: short enough for a `String` to hold in itself, so a name costs no allocation.
struct RequestIDs {
  /// Eight digits of it are different for each server, thread and run; seven count the requests.
  private var name: [UInt8]

  init() {
    name =
      (0..<8).map { _ in "0123456789abcdefghijklmnopqrstuvwxyz".utf8.randomElement() ?? 0x30 } + Array("0000000".utf8)
  }

  /// The next one, small letters and digits. After 78 billion requests the first is used again.
  mutating func next() -> String {
    var place = name.count - 1
    while place >= 8, name[place] == UInt8(ascii: "z") {
      name[place] = UInt8(ascii: "0")
      place -= 1
    }
    if place >= 8 { name[place] = name[place] == UInt8(ascii: "9") ? UInt8(ascii: "a") : name[place] + 1 }
    return name.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }
}
