public import Reactor

/// A socket, its place in a loop and its monitor: whole messages in and out, over connections that are kept.
///
/// Confined to the loop's thread. Dropping it closes it; the delegate is not kept alive. No method blocks.
public final class LoopSocket: Source, MonitorDelegate, ConnectionsDelegate {
  /// How many messages are received at most when a connection ends, before its end is told. libzmq takes in turn from the queues of
  /// all peers: when they hold more, some of the ended connection's messages come after its end.
  private static let messagesBeforeEnd = 4_096

  /// Who is told. Closing sets it to nil.
  public weak var delegate: (any LoopSocketDelegate)?
  /// Which pattern the socket speaks.
  public let kind: SocketKind
  /// Where it is bound, wildcards resolved.
  public var bindings: [Endpoint] { openSocket?.bindings.endpoints ?? [] }
  /// How many of the bound endpoints have a peer.
  public var visitedBindings: Int { openSocket?.bindings.visited ?? 0 }
  /// Connections that stand. One over inproc counts from `connect` to `disconnect`, for libzmq reports nothing of it.
  public private(set) var connected = 0
  /// How many endpoints it is meant to be connected to: what `connect` added and `disconnect` took away. Closing changes nothing.
  public private(set) var endpointCount = 0
  /// False after `close()`, and after an error that closed the socket.
  public var isOpen: Bool { openSocket != nil }
  /// While false, messages stay in libzmq's queue.
  @exclusivity(unchecked) public var isReading = true { didSet { scheduleTurn() } }

  /// libzmq's socket, for its options; nil when it is closed.
  var inner: Socket? { openSocket?.socket }
  /// Who takes the messages in place of the delegate, such as a proxy.
  weak var mover: (any MessageMover)? { didSet { scheduleTurn() } }
  /// Who takes them out of the socket itself, in place of the delegate's `messageReceived`.
  var taker: (any MessageTaker)? {
    get { reception.taker }
    set { reception.taker = newValue }
  }
  /// Who has subscribed, where libzmq tells.
  let subscribers: Subscribers?

  private let loop: Loop, memory: MemoryBudget?, messagesPerTurn: Int
  private var openSocket: OpenSocket?
  private var inproc = InprocConnections()
  private let reception = Reception()
  private let retry: SendRetry

  /// Creates the socket, neither bound nor connected. At most that many messages are handed over in a turn. What is sent counts in
  /// `memory`, if there is one, until libzmq lets go of it.
  public convenience init(
    _ kind: SocketKind, options: SocketOptions = .init(), messagesPerTurn: Int = 256, memory: MemoryBudget? = nil,
    in context: Context, on loop: Loop
  ) throws(ZMQError) {
    try self.init(Socket(kind, in: context, options: options), messagesPerTurn, memory, on: loop)
  }

  /// Takes a socket over, and leaves its options as they are.
  init(
    _ socket: Socket, _ messagesPerTurn: Int = 256, _ memory: MemoryBudget? = nil, on loop: Loop,
    resolver: Resolver = .shared
  ) throws(ZMQError) {
    self.memory = memory
    kind = socket.kind
    self.loop = loop
    self.messagesPerTurn = messagesPerTurn
    retry = SendRetry(kind, on: loop)
    subscribers = socket.tellsSubscriptions ? Subscribers(of: socket) : nil
    let watch = try socket.watch(on: loop, self)
    openSocket = OpenSocket(
      socket: socket, watch: watch, monitor: try SocketMonitor(socket, on: loop, delegate: self),
      connections: Connections(of: socket, on: loop, resolver: resolver, delegate: self),
      bindings: Bindings(of: socket, on: loop, delegate: self))
    if socket.isWatching { mover = subscribers }
    retry.socket = self
    socket.wasLookedAt = { [weak self] in self?.scheduleTurn() }
  }

  deinit {
    guard let openSocket else { return }
    // Safe: nobody else has it, and it goes to the thread that it belongs to.
    nonisolated(unsafe) let last = openSocket
    loop.run { last.close {} }
  }

  // MARK: Endpoints

  /// Binds, and returns the endpoint with wildcards resolved.
  @discardableResult package func bind(_ address: BindAddress) throws(ZMQError) -> Endpoint {
    let bindings = try requireOpen("bind").bindings
    defer { scheduleTurn() }
    return try bindings.bind(address)
  }

  /// Whether `unbind` knows the endpoint.
  package func isBound(to endpoint: Endpoint) -> Bool { openSocket?.bindings.has(endpoint) == true }

  /// Closes a binding, by what `bind` returned or was given; throws `notFound` for another. Over tcp and ipc libzmq ends the connections that came
  /// in there as well, and drops what it has still to send to them; over inproc they stay. Calls `free` when others may bind to it (see `Departure`).
  public func unbind(_ endpoint: Endpoint, _ free: @escaping () -> Void = {}) throws(ZMQError) {
    let bindings = try requireOpen("unbind").bindings
    defer { scheduleTurn() }
    try bindings.unbind(endpoint, free)
  }

  /// Begins to connect, and keeps at it until `disconnect`. It returns at once. Where there is a connection to the endpoint, or it is being
  /// tried, nothing is done, and false returned: libzmq cannot tell two of them apart. One that is over, with the option `reconnect` nil,
  /// is made again.
  ///
  /// A host's name is looked up beside the loop, all its addresses are tried in turn, and it is looked up again after a loss
  /// and from time to time while there is no connection. A message can be sent to it as soon as it has an address. What is queued for one of
  /// its addresses goes to no other, and is lost when the name leads elsewhere; so while a name has several, `SocketOptions.immediate` is
  /// on, for it and for all that the socket connects to afterwards; so it is with the option `reconnect` nil. Of two endpoints that lead to one address only one gets a connection.
  @discardableResult
  public func connect(_ endpoint: Endpoint) throws(ZMQError) -> Bool {
    let open = try requireOpen("connect")
    do { try endpoint.requireConnectable() } catch {
      throw ZMQError(code: .invalid, call: "connect to \(endpoint): \(error)")
    }
    guard inproc.index(of: endpoint) == nil, !open.connections.has(endpoint) else { return false }
    defer { scheduleTurn() }
    if case .inproc = endpoint.address {
      try open.socket.connect(endpoint.description)
      inproc.add(endpoint)
      endpointCount += 1
    } else if try open.connections.connect(endpoint) {
      endpointCount += 1
    }
    return true
  }

  /// Ends the connection to an endpoint, and the trying. Messages that have come and are not handed over yet may be lost. May be
  /// called within `messageReceived`.
  public func disconnect(_ endpoint: Endpoint) throws(ZMQError) {
    let open = try requireOpen("disconnect")
    defer { scheduleTurn() }
    endpointCount -= 1  // First, so that a delegate that hears of the end sees what is left.
    do throws(ZMQError) {
      guard let index = inproc.index(of: endpoint) else { return try open.connections.disconnect(endpoint) }
      try open.socket.disconnect(endpoint.description)
      if inproc.remove(at: index) { connectionChanged(.disconnected, at: nil) }
    } catch {
      endpointCount += 1
      throw error
    }
  }

  /// How many of the `endpointCount` endpoints have a connection.
  public var connectedEndpoints: Int { inproc.count + (openSocket?.connections.established ?? 0) }

  /// Tells what happens to the connections from now on, until the socket closes.
  public func monitor() throws(ZMQError) -> Monitor { try requireOpen("monitor").monitor.listen() }

  // MARK: Messages

  /// Sends a whole message, or nothing: false when there is no room or no peer, or the connection died between two frames. Then
  /// the message is still the caller's, and `writable` tells when to try again.
  ///
  /// Throws `unreachable` when a router does not know the peer, `invalid` for a message that this kind cannot send (`Socket.send`), and
  /// `notSocket` when the socket is closed. After any other error either `writable` comes, or the socket closes itself and tells that with
  /// `failed`.
  public func send(_ frames: Span<UnsafeRawBufferPointer>) throws(ZMQError) -> Bool {
    try offer { socket throws(ZMQError) in try socket.send(frames, memory: memory) }
  }

  /// As `send` of frames that are lent; no bytes of long frames are copied.
  public func send(_ message: Message) throws(ZMQError) -> Bool {
    try offer { socket throws(ZMQError) in try socket.send(message) }
  }

  @inline(__always)
  private func offer(_ send: (Socket) throws(ZMQError) -> Bool) throws(ZMQError) -> Bool {
    let open = try requireOpen("send")
    // Sending makes libzmq look at its inbox. Its descriptor then does not fire again for messages that have come meanwhile.
    reception.socketWasUsed()
    open.scheduleTurn()
    do throws(ZMQError) {
      let isWhole = try send(open.socket)
      if !isWhole { retry.refused() }
      return isWhole
    } catch {
      if error.code != .unreachable, error.code != .invalid { retry.refused() }
      throw error
    }
  }

  /// Closes the socket; messages that were sent get the time of `SocketOptions.linger`. The delegate is let go of and hears no
  /// more, also when this is called within one of its own methods. A second call does nothing. Calls `free` when others may bind to what
  /// the socket was bound to (see `Departure`).
  public func close(_ free: @escaping () -> Void = {}) {
    delegate = nil
    closeSocket(free)
    connected = 0
  }

  private func closeSocket(_ free: @escaping () -> Void = {}) {
    guard let open = openSocket.take() else { return free() }
    retry.end()
    inproc = .init()
    subscribers?.socketClosed()
    mover?.socketClosed()
    open.close(free)
  }

  // MARK: Turns

  public func turn(_ events: PollEvents) {
    while inproc.untold > 0 {
      inproc.tellNext()
      connectionChanged(.connected, at: nil)
    }
    if let mover {
      mover.move()
    } else {
      // Who comes first is told before its messages: it was told to the monitor before they came.
      if connected == 0 { openSocket?.monitor.turn(.readable) }
      reception.beginTurn()
      receive(atMost: messagesPerTurn)
    }
    // Where libzmq does not say that there is room, any event of the socket may be that.
    if retry.isAwaited, kind.tellsRoom ? readiness()?.contains(.output) == true : !events.isEmpty { becameWritable() }
  }

  public func isReady() -> Bool {
    if inproc.untold > 0 || reception.left == .some && isReading && delegate != nil { return true }
    if reception.left == .none, !retry.isAwaited { return false }
    // Else it is asked, in any case: that makes libzmq look at its inbox, without which its descriptor would not fire again.
    guard let readiness = readiness() else { return false }
    if retry.isAwaited, kind.tellsRoom, readiness.contains(.output) { return true }
    if let mover { return mover.canMove() }
    return kind.receives && isReading && readiness.contains(.input) && delegate != nil
  }

  func readiness() -> Socket.Readiness? {
    reception.socketWasUsed()
    do {
      let readiness = try openSocket?.socket.look()
      // A proxy looks at this socket in the turn of another one.
      if retry.isAwaited, kind.tellsRoom, readiness?.contains(.output) == true { openSocket?.watch.schedule() }
      return readiness
    } catch {
      failed(error)
      return nil
    }
  }

  private func receive(atMost limit: Int) {
    guard delegate != nil, mover == nil, isReading, kind.receives else { return reception.socketWasUsed() }
    do { try reception.receive(atMost: limit, from: self) } catch { failed(error) }
  }

  func becameWritable() { if retry.end() { delegate?.writable(on: self) } }

  /// Tells of an error. One that ends the socket closes it, ends the connections that stood, and is the last that is told.
  private func failed(_ error: ZMQError) {
    guard error.code == .terminated || error.code == .notSocket else {
      delegate?.failed(error, on: self)
      return
    }
    closeSocket()
    while connected > 0 { connectionChanged(.disconnected, at: nil) }
    delegate?.failed(error, on: self)
    delegate = nil
  }

  /// Has the socket looked at: what is done to `inner` beside this may have used its descriptor's edge up.
  func scheduleTurn() {
    reception.socketWasUsed()
    openSocket?.scheduleTurn()
  }

  private func requireOpen(_ call: String) throws(ZMQError) -> OpenSocket {
    guard let openSocket else { throw ZMQError(code: .notSocket, call: "\(call) on a closed socket") }
    return openSocket
  }

  // MARK: Connections

  func monitorHasEvents() {
    for event in openSocket?.monitor.takeEvents() ?? [] {
      guard let openSocket else { return }
      if openSocket.connections.take(event) { continue }
      // Makes libzmq look at its inbox, so that a peer that is told of here can be sent to, and one that is gone cannot.
      _ = readiness()
      openSocket.bindings.take(event)
    }
    scheduleTurn()
  }

  func socketFailed(_ error: ZMQError) { failed(error) }

  func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?) {
    switch event {
    case .connected: connected += 1
    case .disconnected:
      // What came before the end is handed over before it is told, as long as the delegate reads.
      receive(atMost: Self.messagesBeforeEnd)
      connected = max(0, connected - 1)
    default: break
    }
    delegate?.connectionChanged(event, at: endpoint, on: self)
  }
}
