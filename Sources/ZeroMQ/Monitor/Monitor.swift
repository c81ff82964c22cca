import CZeroMQ
public import Reactor

/// Who wants to know whether a socket's peers come and go.
public protocol MonitorDelegate: AnyObject {
  /// Something happened to a connection of the monitored socket.
  func monitor(_ event: Monitor.Event)
}

/// Connection events of one socket (`zmq_socket_monitor(3)`), handed on in the loop's turns.
///
/// It also keeps the connections: when a peer breaks the protocol or exceeds a limit, libzmq gives its endpoint up for
/// good, and only connecting anew brings it back.
public final class Monitor: SocketDelegate, TimerHandler {
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
  private static let failures = [
    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
  ]
  private static let tries = [ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECT_DELAYED]
  private static let lastNumber = Guarded(0)
  /// How long libzmq may take to say that it tries again before an endpoint counts as given up.
  private static let patience = Duration.milliseconds(400)

  /// Connections that have finished their handshake and are not gone.
  public private(set) var connected = 0
  /// The same, by endpoint.
  private var established: [String: Int] = [:]
  /// Endpoints whose handshake has just failed: libzmq reports a loss for those as well, though nothing was had.
  private var failing: Set<String> = []
  /// What was connected, as it was named.
  private var endpoints: [String] = []
  /// What of it was disconnected, and not yet tried again by libzmq.
  private var lost: [String] = []
  private var deadline: Timer?
  private let pair: Socket
  private let monitored: Socket
  private let loop: Loop
  private weak var owner: (any MonitorDelegate)?
  private var watch: SocketWatch?
  private var frames = ReceivedMessage()

  /// Monitors the socket until `cancel()`. Does not keep the owner alive.
  public init(_ socket: Socket, in context: Context, on loop: Loop, owner: any MonitorDelegate) throws {
    let number = Self.lastNumber.withLock { last in
      last += 1
      return last
    }
    let endpoint = "inproc://monitor-\(number)"
    let events = (Self.failures + Self.tries).reduce(ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) { $0 | $1 }
    try check("zmq_socket_monitor") { zmq_socket_monitor(socket.raw, endpoint, events) }
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
      guard (try? frames.receive(from: pair)) == true else { return }
      // An event is a 16-bit kind and a 32-bit value in host order; the second frame is the address.
      guard frames.count >= 2, frames[0].count >= 6 else { continue }
      let kind = CInt(frames[0].loadUnaligned(as: UInt16.self))
      if let event = take(kind, String(decoding: frames[1], as: UTF8.self)) { owner?.monitor(event) }
    }
  }

  /// What libzmq's event means for those who use the socket; nil when it means nothing.
  private func take(_ kind: CInt, _ reported: String) -> Event? {
    let address = Self.unmapped(reported)
    let endpoint = name(of: address) ?? address
    switch kind {
    case ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECT_DELAYED:
      keep(address)
      return nil
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      keep(address)
      established[endpoint, default: 0] += 1
      connected += 1
      return .connected
    case ZMQ_EVENT_DISCONNECTED:
      lose(address)
      guard failing.remove(endpoint) == nil, let count = established[endpoint] else { return nil }
      established[endpoint] = count > 1 ? count - 1 : nil
      connected -= 1
      return .disconnected
    default:
      failing.insert(endpoint)
      return kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? .refused : nil
    }
  }

  // MARK: Given up

  private func keep(_ address: String) {
    guard !lost.isEmpty else { return }
    if let endpoint = name(of: address) { return lost.removeAll { $0 == endpoint } }
    // It may be any of those with that port: a connection that may stand is not to be cut.
    guard let colon = address.lastIndex(of: ":") else { return }
    lost.removeAll { $0.hasSuffix(address[colon...]) }
  }

  private func lose(_ address: String) {
    guard let endpoint = name(of: address), !lost.contains(endpoint) else { return }
    lost.append(endpoint)
    if deadline == nil { deadline = loop.schedule(at: loop.now + Self.patience, self) }
  }

  /// The endpoint of an address, which libzmq reports in numbers: a host's name is known by its port, if no other has that.
  private func name(of address: String) -> String? {
    if endpoints.contains(address) { return address }
    guard let colon = address.lastIndex(of: ":") else { return nil }
    let named = endpoints.filter { Self.hasHostName($0) && $0.hasSuffix(address[colon...]) }
    return named.count == 1 ? named[0] : nil
  }

  /// libzmq reports one IPv4 address now as it is, now as an IPv6 address that maps it.
  static func unmapped(_ address: String) -> String {
    let prefix = "tcp://[::ffff:"
    guard address.hasPrefix(prefix), let end = address.lastIndex(of: "]") else { return address }
    let host = address.dropFirst(prefix.count).prefix { $0 != "]" }
    return host.contains(".") ? "tcp://\(host)\(address[address.index(after: end)...])" : address
  }

  private static func hasHostName(_ endpoint: String) -> Bool {
    guard endpoint.hasPrefix("tcp://") else { return false }
    let host = endpoint.dropFirst("tcp://".count)
    return !host.hasPrefix("[") && host.contains(where: \.isLetter)
  }

  /// Connects anew where libzmq does not try to.
  public func fired(_ deadline: Timer) {
    self.deadline = nil
    // First all ends, then all beginnings: libzmq knows a connection that it gave up by an address that a new one may get.
    for endpoint in lost {
      try? monitored.disconnect(endpoint)
      // libzmq does not report the end of a connection that is ended from this side.
      guard let count = established.removeValue(forKey: endpoint) else { continue }
      connected -= count
      owner?.monitor(.disconnected)
    }
    for endpoint in lost { try? monitored.connect(endpoint) }
    lost = []
    monitored.watch?.touched()
  }

  public func wantsTurn(_ readiness: Socket.Readiness) -> Bool { readiness.contains(.input) }
}
