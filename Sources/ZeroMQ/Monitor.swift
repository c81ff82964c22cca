import CZeroMQ
import Reactor

/// Who wants to know whether a socket's peers come and go.
public protocol MonitorOwner: AnyObject {
  /// Something happened to a connection of the monitored socket.
  func monitor(_ event: Monitor.Event)
}

/// Connection events of one socket (`zmq_socket_monitor(3)`), handed on in the loop's turns.
///
/// It also keeps the connections: when a peer breaks the protocol or exceeds a limit, libzmq gives its endpoint up for
/// good, and only connecting anew brings it back.
public final class Monitor: SocketOwner, Alarm {
  /// What happened to a connection.
  public enum Event: Sendable, Hashable {
    /// A peer has finished its handshake and can be used.
    case connected
    /// A peer is gone; what was in flight to it is lost.
    case disconnected
    /// The peer refused the credentials, or the other way round.
    case refused
  }

  private static let eventsPerTurn = 64
  private static let lastNumber = Guarded(0)
  /// How long libzmq may take to say that it tries again before an endpoint counts as given up.
  private static let patience = Duration.milliseconds(400)

  private let pair: Socket
  private let monitored: Socket
  private let loop: Loop
  private weak var owner: (any MonitorOwner)?
  private var watch: SocketWatch?
  private var frames = Frames()
  private var endpoints: [String] = []
  private var connected: Set<String> = []
  /// Disconnected, and not yet tried again by libzmq.
  private var lost: [String] = []
  private var deadline: Deadline?

  /// Monitors the socket until `cancel()`. Does not keep the owner alive.
  public init(_ socket: Socket, in context: Context, on loop: Loop, owner: any MonitorOwner) throws {
    let number = Self.lastNumber.withLock { last in
      last += 1
      return last
    }
    let endpoint = "inproc://monitor-\(number)"
    let events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
    let tries = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CONNECT_DELAYED
    try check("zmq_socket_monitor") { zmq_socket_monitor(socket.raw, endpoint, events | tries) }
    monitored = socket
    pair = try Socket(.pair, in: context)
    self.loop = loop
    self.owner = owner
    try pair.connect(endpoint)
    watch = try SocketWatch(pair, on: loop, owner: self)
  }

  /// Begins to connect the monitored socket, and keeps at it.
  public func connect(_ endpoint: String) throws(ZMQError) {
    try monitored.connect(endpoint)
    endpoints.append(endpoint)
  }

  /// Ends the monitoring. Do it before the monitored socket is let go.
  public func cancel() {
    watch?.cancel()
    watch = nil
    if let deadline { loop.cancel(deadline) }
    deadline = nil
    zmq_socket_monitor(monitored.raw, nil, 0)
  }

  public func socketTurn() {
    for _ in 0..<Self.eventsPerTurn {
      guard watch != nil, (try? frames.receive(from: pair)) == true else { return }
      // An event is a 16-bit kind and a 32-bit value in host order; the second frame is the address.
      guard frames.count >= 2, frames[0].count >= 6 else { continue }
      let endpoint = endpoint(at: String(decoding: frames[1], as: UTF8.self))
      switch CInt(frames[0].loadUnaligned(as: UInt16.self)) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: succeeded(endpoint)
      case ZMQ_EVENT_DISCONNECTED: disconnected(endpoint)
      case ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECT_DELAYED: lost.removeAll { $0 == endpoint }
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: owner?.monitor(.refused)
      default: break
      }
    }
  }

  public func wantsTurn(_ readiness: Socket.Readiness) -> Bool { readiness.contains(.input) }

  /// Which endpoint an address belongs to: libzmq reports it in numbers, so a name is known only where it is the only one.
  private func endpoint(at address: String) -> String? {
    endpoints.contains(address) ? address : endpoints.count == 1 ? endpoints[0] : nil
  }

  private func succeeded(_ endpoint: String?) {
    if let endpoint {
      lost.removeAll { $0 == endpoint }
      guard connected.insert(endpoint).inserted else { return }
    }
    owner?.monitor(.connected)
  }

  private func disconnected(_ endpoint: String?) {
    if let endpoint {
      if !lost.contains(endpoint) { lost.append(endpoint) }
      if deadline == nil { deadline = loop.schedule(at: loop.now + Self.patience, self) }
      // A connection that fails before its handshake is over was none yet.
      guard connected.remove(endpoint) != nil else { return }
    }
    owner?.monitor(.disconnected)
  }

  /// Connects anew where libzmq does not try to.
  public func ring(_ deadline: Deadline) {
    self.deadline = nil
    // First all ends, then all beginnings: libzmq knows a connection that it gave up by an address that a new one may get.
    for endpoint in lost { try? monitored.disconnect(endpoint) }
    for endpoint in lost { try? monitored.connect(endpoint) }
    lost = []
    monitored.watch?.touched()
  }
}
