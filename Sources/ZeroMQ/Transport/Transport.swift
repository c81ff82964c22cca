public import Reactor

/// A socket, its place in a loop and its monitor: whole messages in and out, over connections that are kept.
///
/// Confined to the loop's thread. Dropping it closes it; the delegate is not kept alive. No call waits.
public final class Transport: Source, MonitorDelegate, ConnectionsDelegate {
  /// Messages taken at once when a connection is lost, before its end is told.
  private static let lastMessages = 4_096
  /// How long a router waits after a refused send, when libzmq can only say that some other peer has room.
  private static let pause = Duration.milliseconds(10)

  /// Who is told.
  public weak var delegate: (any TransportDelegate)?
  /// Which pattern the socket speaks.
  public let kind: SocketKind
  /// Where it is bound, wildcards resolved.
  public private(set) var bindings: [Endpoint] = []
  /// Connections that stand. One over inproc counts as soon as it is connected to, as libzmq does not tell of its end. Of
  /// those that others make to a bound endpoint the number is a hint: only a refused send tells that nobody is there.
  public private(set) var connected = 0
  /// While false, messages stay in libzmq's queue.
  public var isReading = true { didSet { look() } }

  private let loop: Loop
  private let messagesPerTurn: Int
  private var open: Open?
  private var inproc: [Endpoint] = []
  /// Connections over inproc that are still to be told.
  private var arrived = 0
  private var accepted = AcceptedPeers()
  private var frames = ReceivedMessage()
  private var isRefused = false
  private var retry: Timer?

  /// Creates the socket, neither bound nor connected. At most that many messages are handed over in one turn.
  public convenience init(
    _ kind: SocketKind, options: SocketOptions = .init(), messagesPerTurn: Int = 256, in context: Context,
    on loop: Loop
  ) throws(ZMQError) {
    try self.init(
      kind, options: options, messagesPerTurn: messagesPerTurn, in: context, on: loop, resolver: .shared)
  }

  init(
    _ kind: SocketKind, options: SocketOptions, messagesPerTurn: Int = 256, in context: Context, on loop: Loop,
    resolver: Resolver
  ) throws(ZMQError) {
    self.kind = kind
    self.loop = loop
    self.messagesPerTurn = messagesPerTurn
    let socket = try Socket(kind, in: context, options: options)
    let watch = try socket.watch(on: loop, self)
    let monitor = try Monitor(socket, on: loop, delegate: self)
    let connections = Connections(of: socket, options: options, on: loop, resolver: resolver, delegate: self)
    open = Open(socket: socket, watch: watch, monitor: monitor, connections: connections)
  }

  deinit {
    guard let open else { return }
    // Safe: nobody else has it, and it goes to the thread that it belongs to.
    nonisolated(unsafe) let last = open
    loop.run { last.close() }
  }

  /// What is there until the transport closes.
  private final class Open {
    let socket: Socket
    let watch: Watch
    let monitor: Monitor
    let connections: Connections

    init(socket: Socket, watch: Watch, monitor: Monitor, connections: Connections) {
      self.socket = socket
      self.watch = watch
      self.monitor = monitor
      self.connections = connections
    }

    /// The socket closes with the last reference to it.
    func close() {
      connections.end()
      watch.cancel()
      socket.stopMonitor()
    }
  }

  // MARK: Endpoints

  /// Binds, and returns the endpoint with wildcards resolved.
  @discardableResult
  public func bind(_ endpoint: Endpoint) throws(ZMQError) -> Endpoint {
    let socket = try opened("bind").socket
    defer { look() }
    let text = try socket.bind(endpoint.description)
    let bound = (try? Endpoint(text)) ?? endpoint
    bindings.append(bound)
    return bound
  }

  /// Closes a binding that `bind` returned. What is connected to it stays connected.
  public func unbind(_ endpoint: Endpoint) throws(ZMQError) {
    let socket = try opened("unbind").socket
    defer { look() }
    try socket.unbind(endpoint.description)
    bindings.removeAll { $0 == endpoint }
  }

  /// Begins to connect, and keeps at it until `disconnect`. It returns at once.
  ///
  /// A host's name is looked up beside the loop, all its addresses are tried in turn, and it is looked up again after a loss
  /// and from time to time while there is no connection. To a name nothing can be sent before it is connected, whatever
  /// `SocketOptions.immediate` says. Two endpoints of one address should not be connected to: only one of them will be.
  public func connect(_ endpoint: Endpoint) throws(ZMQError) {
    let open = try opened("connect")
    do { try endpoint.requireConnectable() } catch {
      throw ZMQError(code: .invalid, call: "connect to \(endpoint): \(error)")
    }
    defer { look() }
    guard case .inproc = endpoint.address else { return try open.connections.connect(endpoint) }
    try open.socket.connect(endpoint.description)
    inproc.append(endpoint)
    // Told in the next turn, as it is of all others.
    arrived += 1
  }

  /// Ends the connection to an endpoint, and the trying.
  public func disconnect(_ endpoint: Endpoint) throws(ZMQError) {
    let open = try opened("disconnect")
    defer { look() }
    guard let index = inproc.firstIndex(of: endpoint) else { return try open.connections.disconnect(endpoint) }
    try open.socket.disconnect(endpoint.description)
    inproc.remove(at: index)
    connectionChanged(.disconnected)
  }

  /// How many of the endpoints that are connected to have a connection.
  public var connectedEndpoints: Int { inproc.count + (open?.connections.established ?? 0) }
  /// How many endpoints are connected to.
  public var endpointCount: Int { inproc.count + (open?.connections.count ?? 0) }

  // MARK: Messages

  /// Sends a whole message, or nothing: false when there is no room or no peer, or the connection died between two frames. Then
  /// the message is still the caller's, and `writable` tells when to try again.
  ///
  /// Throws `unreachable` when a router does not know the peer, and when the transport is closed.
  public func send(_ frames: Span<UnsafeRawBufferPointer>) throws(ZMQError) -> Bool {
    let open = try opened("send")
    // A send may use up the edge of libzmq's descriptor.
    defer { open.watch.schedule() }
    var isWhole = true
    for index in frames.indices {
      if try open.socket.send(frames[index], more: index < frames.count - 1) { continue }
      isWhole = false
      // When the connection dies between two frames, libzmq takes the message back, refuses this frame and swallows the
      // rest of it: every frame has to be offered.
      if index == 0 { break }
    }
    if !isWhole { refused() }
    return isWhole
  }

  /// Receives what begins with the prefix; the empty one means everything. libzmq counts equal subscriptions. Throws for a
  /// prefix longer than `Socket.longestPrefix`.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) {
    defer { look() }
    try opened("subscribe").socket.subscribe(prefix)
  }

  /// Takes one subscription to the prefix back.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) {
    defer { look() }
    try opened("unsubscribe").socket.unsubscribe(prefix)
  }

  /// Closes the socket; messages that were sent get the time of `SocketOptions.linger`. The delegate hears no more. A second
  /// call does nothing.
  public func close() {
    guard let open = open.take() else { return }
    if let retry = retry.take() { loop.cancel(retry) }
    open.close()
    (bindings, inproc, arrived, accepted, connected) = ([], [], 0, .init(), 0)
  }

  // MARK: Turns

  public func turn(_ events: PollEvents) {
    while arrived > 0 {
      arrived -= 1
      connectionChanged(.connected)
    }
    if canReceive { receive(atMost: messagesPerTurn) }
    // A router is ready when any of its peers is: what has woken it may be the room that was missing.
    if isRefused, kind == .router ? !events.isEmpty : isReady(for: .output) { becameWritable() }
  }

  public func isReady() -> Bool {
    // To ask is also what makes libzmq look at its inbox.
    guard let readiness = readiness() else { return false }
    if arrived > 0 { return true }
    if isRefused, kind != .router, readiness.contains(.output) { return true }
    return canReceive && isReading && readiness.contains(.input) && delegate != nil
  }

  private func isReady(for wanted: Socket.Readiness) -> Bool { readiness()?.contains(wanted) ?? false }

  private func readiness() -> Socket.Readiness? {
    do {
      return try open?.socket.readiness
    } catch {
      failed(error)
      return nil
    }
  }

  private var canReceive: Bool { kind != .push && kind != .publish }

  private func receive(atMost limit: Int) {
    guard let delegate, let open else { return }
    var received = 0
    do {
      // The delegate may pause or close the transport at any message.
      while received < limit, isReading, self.open === open, try frames.receive(from: open.socket) {
        received += 1
        delegate.messageReceived(frames, on: self)
      }
    } catch {
      failed(error)
    }
    frames.clear()
    if received > 0 { delegate.messagesReceived(on: self) }
  }

  private func refused() {
    isRefused = true
    guard kind == .router, retry == nil else { return }
    retry = loop.schedule(at: loop.now + Self.pause, Retry(self))
  }

  fileprivate func becameWritable() {
    if let retry = retry.take() { loop.cancel(retry) }
    guard isRefused else { return }
    isRefused = false
    delegate?.writable(on: self)
  }

  private func failed(_ error: ZMQError) {
    if error.code == .terminated || error.code == .notSocket { close() }
    delegate?.failed(error, on: self)
  }

  private func look() { open?.watch.schedule() }

  private func opened(_ call: String) throws(ZMQError) -> Open {
    guard let open else { throw ZMQError(code: .notSocket, call: "\(call) on a closed transport") }
    return open
  }

  // MARK: Connections

  func monitorHasEvents() {
    for event in open?.monitor.takeEvents() ?? [] {
      guard let open else { return }
      if !open.connections.take(event) { takeBound(event) }
    }
    look()
  }

  func monitorFailed(_ error: ZMQError) { failed(error) }

  func connectionFailed(_ error: ZMQError) { failed(error) }

  func connectionChanged(_ event: ConnectionEvent) {
    switch event {
    case .connected: connected += 1
    case .disconnected:
      // What came before the end counts.
      if canReceive { receive(atMost: Self.lastMessages) }
      connected = max(0, connected - 1)
    default: break
    }
    delegate?.connectionChanged(event, on: self)
  }

  /// An event of no endpoint that is connected to: of one that is bound, or of an attempt that was ended before.
  private func takeBound(_ event: Monitor.Event) {
    guard bindings.contains(where: { $0.accepts(event.address) }), let change = accepted.take(event.kind) else {
      return
    }
    connectionChanged(change)
  }
}

/// What a timer holds instead of the transport, which it must not keep alive.
private final class Retry: TimerHandler {
  private weak var transport: Transport?

  init(_ transport: Transport) { self.transport = transport }

  func fired(_ timer: Timer) { transport?.becameWritable() }
}
