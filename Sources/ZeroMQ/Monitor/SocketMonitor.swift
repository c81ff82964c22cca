import CZeroMQ
import Glibc
import Reactor

/// Who reads a monitor.
protocol MonitorDelegate: AnyObject {
  /// There are events to take.
  func monitorHasEvents()
  /// libzmq could not be asked.
  func socketFailed(_ error: ZMQError)
}

/// Reads what libzmq reports of one socket's connections (`zmq_socket_monitor(3)`) and translates it.
///
/// libzmq sends each event from its I/O thread, which serves all sockets, and waits when there is no room. So the pair that
/// carries the events has no bound, it is emptied in every turn, and what the reader does not take is kept up to a bound of
/// this monitor's own.
///
/// A socket has one monitor of libzmq's. So those that a user makes (`Monitor`) hear from this one, which asks for the further events
/// only while there are any.
final class SocketMonitor: Source {
  struct Event: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
      /// A try to connect is under way.
      case began
      /// A try has failed, or a connection was lost, and libzmq will try again.
      case retried
      /// The kernel has connected; whether the two ends are one socket.
      case opened(toItself: Bool)
      /// A peer has connected to a bound endpoint, over this descriptor; its handshake begins.
      case accepted(descriptor: CInt)
      /// The handshake is done.
      case established
      /// The handshake failed; whether because the two sockets do not go together.
      case failed(isMisfit: Bool)
      /// The handshake failed for the credentials.
      case refused
      /// The connection over this descriptor is gone; it may never have been established.
      case closed(descriptor: CInt)
      /// A try to connect has ended without a connection, or what listened is closed.
      case ended
    }

    let kind: Kind
    /// The endpoint that the connection belongs to, in numbers.
    let address: String
  }

  /// Events kept for a reader that does not take them.
  static let limit = 1_000
  private static let eventsPerTurn = 512
  /// Failures to accept, of which one is told: they have to be taken faster than libzmq, out of descriptors, sends them.
  private static let acceptFailuresPerTurn = 16_384
  private static let lastNumber = Guarded(0)
  /// What a delegate is told of. That no connection could be accepted is not among it: out of descriptors, libzmq tells that without a
  /// pause.
  private static let needed: CInt = [
    ZMQ_EVENT_CONNECT_DELAYED, ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECTED, ZMQ_EVENT_ACCEPTED,
    ZMQ_EVENT_HANDSHAKE_SUCCEEDED,
    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
    ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_CLOSED,
  ].reduce(0, |)
  private struct Listener {
    weak var channel: EventChannel<Monitor.Event>?
  }

  /// What is told of a peer that wants another security mechanism, or is of a kind that does not fit.
  private static let misfits: Set<Monitor.ProtocolError> = [.mechanismMismatch, .invalidMetadata]

  /// Events that were dropped because nobody took them.
  private(set) var dropped = 0
  private var events: [Event] = []
  private let socket: Socket, loop: Loop
  private let place: ContextPlace
  private var pair: Socket
  private var watch: Watch?
  private weak var delegate: (any MonitorDelegate)?
  private var listeners: [Listener] = []
  private var acceptFailures = 0
  private var asked: CInt
  private var frames = ReceivedMessage()

  /// Monitors the socket, which has to stop being monitored before the monitor is dropped.
  init(_ socket: Socket, on loop: Loop, delegate: any MonitorDelegate) throws(ZMQError) {
    (self.socket, self.loop, self.delegate) = (socket, loop, delegate)
    asked = Self.needed
    place = try socket.context.places.take()
    let (pair, address) = try Self.pair(in: socket.context)
    self.pair = pair
    try socket.monitor(at: address, events: asked)
    watch = try pair.watch(on: loop, self)
  }

  /// A pair that waits at an address for libzmq's events. First the pair, then the monitor: without a peer, libzmq's first event would
  /// stop its I/O thread.
  private static func pair(in context: Context) throws(ZMQError) -> (Socket, String) {
    let number = lastNumber.withLock { last in
      last += 1
      return last
    }
    let address = "inproc://monitor-\(number)"
    var options = SocketOptions()
    options.receiveHighWaterMark = 0
    let pair = try Socket(.pair, in: context, options: options)
    try pair.connect(address)
    return (pair, address)
  }

  /// Tells a user from now on too. What has happened before is not told.
  func listen() throws(ZMQError) -> Monitor {
    try ask(for: ZMQ_EVENT_ALL)
    // What has happened by now is the delegate's alone, which hears of it in the next turn.
    while try take() {}
    watch?.schedule()
    let channel = EventChannel<Monitor.Event>(limit: Monitor.limit)
    listeners.append(Listener(channel: channel))
    return Monitor(channel)
  }

  /// The socket has stopped to be monitored, and closes: what it has told is told, and then that this was the last.
  func end() {
    while (try? take()) == true {}
    watch?.cancel()
    publish(.stopped, at: "")
    for listener in listeners { listener.channel?.end() }
    listeners = []
  }

  /// What has happened since the last call, oldest first.
  func takeEvents() -> [Event] {
    defer { events = [] }
    return events
  }

  func turn(_ fired: PollEvents) {
    acceptFailures = 0
    var count = 0
    do {
      while count - max(0, acceptFailures - 1) < Self.eventsPerTurn, acceptFailures < Self.acceptFailuresPerTurn,
        try take()
      { count += 1 }
    } catch {
      failed(error)
    }
    // Where there is no room for another pair now, it is tried again.
    try? askForLess()
    dropOldest()
    if !events.isEmpty { delegate?.monitorHasEvents() }
  }

  func isReady() -> Bool {
    do {
      return try pair.look().contains(.input)
    } catch {
      failed(error)
      return false
    }
  }

  private func failed(_ error: ZMQError) {
    watch = nil
    delegate?.socketFailed(error)
  }

  /// Takes one event; false when there is none.
  private func take() throws(ZMQError) -> Bool {
    guard try frames.receive(from: pair) else { return false }
    // A 16-bit number and a 32-bit value in host order; the second frame is the address.
    guard frames.count == 2, frames[0].count >= 6 else { return true }
    let number = frames[0].loadUnaligned(as: UInt16.self)
    let value = frames[0].loadUnaligned(fromByteOffset: 2, as: UInt32.self)
    let told = Monitor.Kind(number: number, value: value)
    if case .acceptFailed = told {
      acceptFailures += 1
      if acceptFailures > 1 { return true }
    }
    let kind = Self.kind(told)
    // That it has stopped is told when the socket closes, and not when other events are asked for.
    let isPublic = !listeners.isEmpty && told != .stopped
    guard kind != nil || isPublic else { return true }
    let address = Endpoint.canonical(String(decoding: frames[1], as: UTF8.self))
    if isPublic { publish(told, at: address) }
    guard let kind else { return true }
    events.append(Event(kind: kind, address: address))
    if events.count >= 2 * Self.limit { dropOldest() }
    return true
  }

  private func dropOldest() {
    guard events.count > Self.limit else { return }
    dropped += events.count - Self.limit
    events.removeFirst(events.count - Self.limit)
  }

  private func publish(_ kind: Monitor.Kind, at address: String) {
    for listener in listeners { listener.channel?.offer(Monitor.Event(kind: kind, endpoint: address)) }
  }

  /// Asks for less when all who listened have gone.
  private func askForLess() throws(ZMQError) {
    listeners.removeAll { $0.channel == nil }
    guard listeners.isEmpty else { return }
    try ask(for: Self.needed)
  }

  /// Has libzmq tell these events instead of those that it tells. None is lost, told twice, or out of its order.
  private func ask(for events: CInt) throws(ZMQError) {
    guard asked != events else { return }
    // When this fails, nothing has changed.
    let (next, address) = try Self.pair(in: socket.context)
    do throws(ZMQError) {
      try socket.monitor(at: address, events: events)
      // All that the old pair will ever have is there.
      while try take() {}
      // Before its descriptor is closed.
      watch?.cancel()
      (asked, pair) = (events, next)
      watch = try pair.watch(on: loop, self)
    } catch {
      failed(error)
      throw error
    }
  }

  /// What a delegate is told; nil for what is none of its business.
  private static func kind(_ told: Monitor.Kind) -> Event.Kind? {
    switch told {
    case .connectDelayed: .began
    case .connectRetried: .retried
    case .connected(let descriptor): .opened(toItself: isConnectedToItself(descriptor))
    case .handshakeSucceeded: .established
    case .accepted(let descriptor): .accepted(descriptor: descriptor)
    case .handshakeFailed: .failed(isMisfit: false)
    case .handshakeBroken(let error): .failed(isMisfit: misfits.contains(error))
    case .handshakeRefused: .refused
    case .disconnected(let descriptor): .closed(descriptor: descriptor)
    case .closed: .ended
    default: nil
    }
  }

  /// Whether both ends of a TCP connection are one socket. The descriptor is libzmq's and may be closed by now, or be another
  /// socket: to ask is harmless, and a socket with two equal ends is never wanted. One that libzmq has closed already, as two
  /// equal kinds often do not go together, is not seen; it never becomes a connection.
  static func isConnectedToItself(_ descriptor: CInt) -> Bool {
    guard let own = address(descriptor, getsockname) else { return false }
    return own == address(descriptor, getpeername)
  }

  private static func address(
    _ descriptor: CInt, _ ask: (CInt, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> CInt
  ) -> [UInt8]? {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let failure = withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(descriptor, $0, &size) }
    }
    guard failure == 0, storage.ss_family == AF_INET || storage.ss_family == AF_INET6 else { return nil }
    return withUnsafeBytes(of: &storage) { Array($0.prefix(Int(size))) }
  }
}
