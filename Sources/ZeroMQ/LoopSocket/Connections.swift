import CZeroMQ
import Reactor

/// Who has connections.
protocol ConnectionsDelegate: AnyObject {
  func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?)
  func socketFailed(_ error: ZMQError)
}

/// The endpoints that a socket connects to: does what each `Reconnection` wants.
final class Connections {
  private struct Entry {
    let id: UInt32
    /// As it was given.
    let endpoint: Endpoint
    var reconnection: Reconnection
    var timer: Timer?
  }

  private let socket: Socket
  private let loop: Loop
  private let resolver: Resolver
  private weak var delegate: (any ConnectionsDelegate)?
  private var entries: [Entry] = []
  private var lastID: UInt32 = 0
  private lazy var alarm = Alarm(self)

  init(of socket: Socket, on loop: Loop, resolver: Resolver, delegate: any ConnectionsDelegate) {
    self.socket = socket
    self.loop = loop
    self.resolver = resolver
    self.delegate = delegate
  }

  /// How many of the endpoints have a connection.
  var established: Int { entries.count { $0.reconnection.isConnected } }

  /// Whether it connects to the endpoint, however that is spelled, and goes on doing so.
  func has(_ endpoint: Endpoint) -> Bool {
    entries.contains { $0.endpoint.isSame(as: endpoint) && !$0.reconnection.isOver }
  }

  /// False when it had connected to the endpoint before, and does so again now that this is over.
  func connect(_ endpoint: Endpoint) throws(ZMQError) -> Bool {
    let host = endpoint.hostName
    if host != nil, socket.givesRoutingID {
      throw ZMQError(
        code: .invalid, call: "connect to \(endpoint) with ZMQ_CONNECT_ROUTING_ID, which is for an address, not a name")
    }
    if try !socket.option(.ipv6), endpoint.isIPv6 {
      throw ZMQError(code: .invalid, call: "connect to \(endpoint), with the option ipv6 off")
    }
    let target = host == nil ? endpoint.inNumbers : endpoint
    lastID += 1
    let reconnection = Reconnection(
      target, host: host, pause: try socket.option(.reconnect), longestPause: try socket.option(.longestReconnect))
    let over = entries.firstIndex { $0.endpoint.isSame(as: endpoint) }
    // Another one, whose name leads there: see `perform`.
    let isTaken = host == nil && entries.contains { $0.reconnection.address == target.description }
    if isTaken, socket.givesRoutingID {
      throw ZMQError(
        code: .invalid,
        call: "connect to \(endpoint) with ZMQ_CONNECT_ROUTING_ID: the socket is connected to it by a name")
    }
    let isNow = host == nil && !isTaken
    if isNow { try begin(target, queuesWhenConnected: reconnection.queuesWhenConnected) } else { socket.expectOthers() }
    if let over, let timer = entries.remove(at: over).timer { loop.cancel(timer) }
    entries.append(Entry(id: lastID, endpoint: endpoint, reconnection: reconnection))
    change(lastID) { reconnection, now in
      let actions = reconnection.start(at: now)
      // That one was done above, where it may throw.
      return isNow ? [] : actions
    }
    return over == nil
  }

  func disconnect(_ endpoint: Endpoint) throws(ZMQError) {
    guard let entry = entries.first(where: { $0.endpoint.isSame(as: endpoint) }) else {
      throw ZMQError(code: .notFound, call: "disconnect from \(endpoint), which is not connected to")
    }
    change(entry.id) { reconnection, _ in reconnection.end() }
    if let timer = entries.first(where: { $0.id == entry.id })?.timer { loop.cancel(timer) }
    entries.removeAll { $0.id == entry.id }
  }

  /// Hears of an event; false when it is about none of the endpoints.
  func take(_ event: SocketMonitor.Event) -> Bool {
    guard let id = entries.first(where: { $0.reconnection.address == event.address })?.id else { return false }
    change(id) { reconnection, now in
      switch event.kind {
      case .began:
        reconnection.began()
        return []
      case .retried: return reconnection.retried(at: now)
      case .opened(let toItself): return toItself ? reconnection.connectedToItself(at: now) : []
      case .established: return reconnection.established()
      case .ended: return reconnection.failed()
      case .failed, .accepted: return []
      case .refused: return [.tell(.refused)]
      case .closed: return reconnection.lost(at: now)
      }
    }
    return true
  }

  /// No timer comes any more.
  func end() {
    for entry in entries { if let timer = entry.timer { loop.cancel(timer) } }
    entries = []
  }

  fileprivate func expired(_ id: UInt32) {
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
    entries[index].timer = nil
    change(id) { reconnection, now in reconnection.expired(at: now) }
  }

  fileprivate func resolved(_ id: UInt32, _ answer: Resolver.Answer) {
    change(id) { reconnection, now in
      guard case .tcp(_, let port) = reconnection.endpoint.address else { return [] }
      let hasIPv6 = (try? socket.option(.ipv6)) == true
      let usable = answer.addresses.filter { hasIPv6 || !$0.contains(":") }
      let reason =
        usable.count < answer.addresses.count ? "it has only IPv6 addresses, and the option ipv6 is off" : answer.reason
      return reconnection.resolved(usable.map { Endpoint(host: $0, port: port) }, reason: reason, at: now)
    }
  }

  // MARK: Actions

  private func change(_ id: UInt32, _ body: (inout Reconnection, Instant) -> [Reconnection.Action]) {
    guard !loop.isStopped, let index = entries.firstIndex(where: { $0.id == id }) else { return }
    let actions = body(&entries[index].reconnection, loop.now)
    for action in actions { perform(action, id) }
    // A delegate that was told something may have changed the list.
    guard let index = entries.firstIndex(where: { $0.id == id }) else { return }
    if let timer = entries[index].timer.take() { loop.cancel(timer) }
    entries[index].timer = entries[index].reconnection.deadline.map { loop.schedule(at: $0, alarm, tag: id) }
  }

  private func perform(_ action: Reconnection.Action, _ id: UInt32) {
    do {
      switch action {
      case .resolve(let host): look(up: host, for: id)
      case .connect(let address):
        let other = entries.first { $0.id != id && $0.reconnection.address == address.description }
        // libzmq tells connections to one address apart neither in its events nor when one is ended.
        if let other { return change(id) { reconnection, now in reconnection.taken(by: other.endpoint, at: now) } }
        let queuesWhenConnected = entries.first { $0.id == id }?.reconnection.queuesWhenConnected
        try begin(address, queuesWhenConnected: queuesWhenConnected == true, isFirst: false)
      case .disconnect(let address): try forget(address)
      case .tell(let event):
        delegate?.connectionChanged(event, at: entries.first { $0.id == id }?.endpoint)
      }
    } catch {
      if case .connect = action { change(id) { reconnection, now in reconnection.unusable(at: now) } }
      delegate?.socketFailed(error)
    }
  }

  /// What is queued for one of several addresses would be lost with it when that is not the right one, and so would what is queued for a
  /// connection that is not made again: so no message is queued for it before it is connected. It stays so for what this socket connects to
  /// afterwards: when a connection that was made in that way is lost, and the socket is not set so any more, libzmq ends the process
  /// (`socket_base.cpp`, hiccuped). Subscribers queue nothing.
  private func begin(_ address: Endpoint, queuesWhenConnected: Bool, isFirst: Bool = true) throws(ZMQError) {
    if queuesWhenConnected, socket.kind != .subscribe, socket.kind != .xSubscribe { try socket.queueOnlyForConnected() }
    if isFirst { try socket.connect(address.outgoing) } else { try socket.connectAgain(address.outgoing) }
  }

  private func forget(_ address: Endpoint) throws(ZMQError) {
    // One that is not to connect again libzmq has forgotten already.
    do { try socket.disconnect(address.outgoing) } catch  where error.code == .notFound {}
  }

  private func look(up host: String, for id: UInt32) {
    guard let reactor = loop.reactor else { return }
    let alarm = alarm
    resolver.resolve(host) { answer in reactor.submit { alarm.connections?.resolved(id, answer) } }
  }
}

/// What timers and lookups hold instead of the connections, which they must not keep alive.
private final class Alarm: TimerHandler, @unchecked Sendable {
  // Safe: followed on the loop's thread only.
  private(set) weak var connections: Connections?

  init(_ connections: Connections) { self.connections = connections }

  func fired(_ timer: Timer) { connections?.expired(timer.tag) }
}
