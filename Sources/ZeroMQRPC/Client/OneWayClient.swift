public import Logging
public import Reactor
public import ZeroMQ

/// Sends one-way calls: to one of the connected workers (pipeline), or to all subscribers (publish).
///
/// Confined to a loop's thread. What was sent is in libzmq's hands: a worker that dies takes with it what it had not done
/// (`zmq_socket(3)`).
public final class OneWayClient: LoopSocketDelegate {
  /// Which pattern a client speaks.
  public enum Pattern: Sendable {
    /// PUSH: each call goes to one worker.
    case pipeline
    /// PUB: each call goes to whoever subscribed to its topic.
    case publish

    fileprivate var role: EndpointStates.Role {
      switch self {
      case .pipeline: .pipeline
      case .publish: .publish
      }
    }
  }

  /// How many peers are connected.
  public var connectedPeers: Int { socket.connected }
  /// Whether each endpoint given as `connect` has a peer. False when the socket is closed.
  public var isConnected: Bool { socket.isOpen && socket.connectedEndpoints >= socket.endpointCount }
  /// Where it is bound, wildcards resolved.
  public var bindings: [Endpoint] { socket.bindings }
  /// Called when a peer has come, and when there may be room again after a refusal.
  var whenReady: (() -> Void)?
  /// The socket, for its endpoints and options.
  var inner: LoopSocket { socket }
  private let socket: LoopSocket
  private let outgoing: OutgoingEndpoints
  private let memory: MemoryBudget?
  private let states: EndpointStates
  private let logger: Logger

  /// Binds, and begins to connect to each endpoint. The bytes of calls count in `memory`, if there is one, until they have left. What
  /// becomes of the connections, `states` learns, which clients of several threads may share. Calls that have not left when it is closed
  /// get `linger` for that (default: 500 ms). `watchesSubscribers`: it knows who has subscribed. `security`: how it shows who it is.
  public init(
    _ pattern: Pattern, bind: [Endpoint] = [], connect: [Endpoint] = [], memory: MemoryBudget? = nil,
    states: EndpointStates? = nil, linger: Duration = .milliseconds(500), watchesSubscribers: Bool = false,
    security: SocketSecurity = .null, in context: Context, on loop: Loop, logger: Logger = Logger(label: "zmq.rpc")
  ) throws(ZMQError) {
    self.memory = memory
    self.logger = logger
    self.states = states ?? EndpointStates(pattern.role, bind: bind, connect: connect, logger: logger)
    var options = SocketOptions()
    options.immediate = true
    options.linger = linger
    options.ipv6 = true
    options.watchesSubscribers = watchesSubscribers
    options.security = security
    socket = try LoopSocket(
      pattern == .pipeline ? .push : .publish, options: options, memory: memory, in: context, on: loop)
    outgoing = OutgoingEndpoints(of: socket, self.states, logger: logger)
    socket.delegate = self
    for endpoint in bind { try self.bind(BindAddress(endpoint)) }
    try outgoing.add(connect)
  }

  /// Binds, and returns the endpoint with wildcards resolved.
  @discardableResult
  func bind(_ address: BindAddress) throws(ZMQError) -> Endpoint {
    let actual = try socket.bind(address)
    states.bound(address.endpoint, as: actual)
    return actual
  }

  /// Gives calls that have not left when it is closed so long.
  public func linger(_ duration: Duration) {
    do { try socket.set(.linger, to: duration) } catch { logger.report(error, endpoints: endpoints) }
  }

  /// Begins to connect to those of the endpoints that it does not connect to already. Throws when one cannot be used at all.
  public func connect(_ endpoints: [Endpoint]) throws(ZMQError) { try outgoing.add(endpoints) }

  /// Connects to these endpoints and ends the connections to all others. What was sent to those and has not left is lost, and so may be what is
  /// sent in this moment: libzmq goes on using a connection of the option `immediate` until the end of it has come to the socket.
  public func use(only endpoints: [Endpoint]) {
    do { try outgoing.add(endpoints) } catch { logger.report(error, endpoints: endpoints) }
    outgoing.removeAll(but: endpoints, of: self)
  }

  /// Hands a call to libzmq, with a topic when it is published. Throws when no peer is connected, all are full, or the client is
  /// closed; then nothing was sent. Publishing from a bound endpoint takes every call, as nobody knows who will have subscribed.
  public func send(_ call: BorrowedCall) throws(CallFailure) {
    guard socket.isOpen else { throw CallFailure(.closed, sent: false) }
    // Publishing from a bound endpoint needs nobody, and libzmq refuses what a bound worker's socket cannot send.
    guard socket.connected > 0 || !socket.bindings.isEmpty else { throw noBackend }
    guard memory?.hasRoom(for: call.count) ?? true else { throw CallFailure(.memoryFull, sent: false) }
    guard try offer(call) else {
      throw socket.connected > 0 ? CallFailure(.queueFull, sent: false) : noBackend
    }
  }

  private var noBackend: CallFailure { CallFailure(.noBackend, sent: false, reason: states.fault?.code) }

  private func offer(_ call: BorrowedCall) throws(CallFailure) -> Bool {
    do throws(ZMQError) {
      guard let topic = call.topic else {
        let frames: [3 of UnsafeRawBufferPointer] = [call.method, call.arguments, call.keywords]
        return try socket.send(frames.span)
      }
      let frames: [4 of UnsafeRawBufferPointer] = [topic, call.method, call.arguments, call.keywords]
      return try socket.send(frames.span)
    } catch {
      logger.error("a call cannot be sent", metadata: ["error": "\(error)"])
      throw CallFailure(.closed, sent: false)
    }
  }

  /// Closes the socket. Calls already handed over leave meanwhile, as fast as their peers read, until the linger is over or the context
  /// is; `Context.close(within:)` tells whether any are left. A second call does nothing.
  public func close() {
    socket.close()
    states.closed(self)
  }

  public func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {
    states.changed(event, at: endpoint, of: self)
    if event == .connected { whenReady?() }
  }

  public func writable(on socket: LoopSocket) { whenReady?() }

  public func failed(_ error: ZMQError, on socket: LoopSocket) { logger.report(error, endpoints: endpoints) }

  /// Where it is bound, with the ports it got, and what it connects to.
  private var endpoints: [Endpoint] { socket.bindings + outgoing.all }
}
