public import Logging
public import Reactor
public import ZeroMQ

/// Sends one-way calls: to one of the connected workers (pipeline), or to all subscribers (publish).
///
/// Confined to a loop's thread. What was sent is in libzmq's hands: a worker that dies takes with it what it had not done
/// (`zmq_socket(3)`).
public final class OneWayClient: MonitorDelegate, SocketDelegate {
  /// Which pattern a sender speaks.
  public enum Pattern: Sendable {
    /// PUSH: each call goes to one worker.
    case pipeline
    /// PUB: each call goes to whoever subscribed to its topic.
    case publish
  }

  /// How many peers are connected.
  public var connectedPeers: Int { monitor?.connected ?? 0 }
  /// Whether there are as many as endpoints.
  public var isConnected: Bool { connectedPeers >= endpoints.count }
  private let endpoints: [String]
  private let logger: Logger
  private let socket: Socket
  private var watch: SocketWatch?
  private var monitor: Monitor?

  /// Where it is bound, wildcards resolved.
  public private(set) var bindings: [String] = []

  /// Binds, and begins to connect to each endpoint.
  public init(
    _ pattern: Pattern, bind: [String] = [], connect endpoints: [String] = [], in context: Context, on loop: Loop,
    logger: Logger = Logger(label: "zmq.rpc")
  ) throws {
    self.endpoints = bind + endpoints
    self.logger = logger
    var options = SocketOptions()
    options.immediate = true
    // What was accepted is given a moment to leave when the process ends.
    options.linger = .milliseconds(500)
    socket = try Socket(pattern == .pipeline ? .push : .publish, in: context, options: options)
    monitor = try Monitor(socket, in: context, on: loop, owner: self)
    watch = try SocketWatch(socket, on: loop, owner: self)
    for endpoint in bind { bindings.append(try socket.bind(endpoint)) }
    for endpoint in endpoints { try monitor?.connect(endpoint) }
  }

  /// Hands a call to libzmq, with a topic when it is published. Throws when no peer is connected or all are full; then nothing was
  /// sent.
  public func send(_ call: BorrowedCall) throws(CallFailure) {
    guard connectedPeers > 0 else { throw CallFailure(.noBackend, sent: false) }
    defer { watch?.touched() }
    var whole = true
    do {
      if let topic = call.topic { whole = try socket.send(topic, more: true) }
      if whole {
        let first = try socket.send(call.method, more: true)
        guard first || call.topic != nil else { throw CallFailure(.queueFull, sent: false) }
        let second = try socket.send(call.arguments, more: true)
        whole = try socket.send(call.keywords, more: false) && first && second
      }
    } catch {
      whole = false
    }
    if !whole { throw CallFailure(.queueFull, sent: false) }
  }

  /// Closes the socket. Messages already handed over get half a second to leave.
  public func close() {
    monitor?.cancel()
    monitor = nil
    watch?.cancel()
    watch = nil
  }

  /// PUB and PUSH receive nothing, but their inbox (subscriptions, room) has to be looked at.
  public func socketTurn() { _ = try? socket.readiness }
  public func wantsTurn(_ readiness: Socket.Readiness) -> Bool { false }

  public func monitor(_ event: Monitor.Event) {
    logger.report(event, connected: connectedPeers, endpoints: endpoints)
  }
}
