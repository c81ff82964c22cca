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
final class Monitor: Source {
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
    }

    let kind: Kind
    /// The endpoint that the connection belongs to, in numbers.
    let address: String
  }

  /// Events kept for a reader that does not take them.
  static let limit = 1_000
  private static let eventsPerTurn = 512
  private static let lastNumber = Guarded(0)
  private static let kinds: [CInt] = [
    ZMQ_EVENT_CONNECT_DELAYED, ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECTED, ZMQ_EVENT_ACCEPTED,
    ZMQ_EVENT_HANDSHAKE_SUCCEEDED,
    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
    ZMQ_EVENT_DISCONNECTED,
  ]

  /// What is told of a peer that wants another security mechanism, or is of a kind that does not fit.
  private static let misfits: Set<UInt32> = [
    UInt32(ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH), UInt32(ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA),
  ]

  /// Events that were dropped because nobody took them.
  private(set) var dropped = 0
  private var events: [Event] = []
  private let pair: Socket
  private var watch: Watch?
  private weak var delegate: (any MonitorDelegate)?
  private var frames = ReceivedMessage()

  /// Monitors the socket, which has to stop being monitored before the monitor is dropped.
  init(_ socket: Socket, on loop: Loop, delegate: any MonitorDelegate) throws(ZMQError) {
    let number = Self.lastNumber.withLock { last in
      last += 1
      return last
    }
    let address = "inproc://monitor-\(number)"
    var options = SocketOptions()
    options.receiveHighWaterMark = 0
    pair = try Socket(.pair, in: socket.context, options: options)
    self.delegate = delegate
    // First the pair, then the monitor: without a peer, libzmq's first event would stop its I/O thread.
    try pair.connect(address)
    watch = try pair.watch(on: loop, self)
    try socket.monitor(at: address, events: Self.kinds.reduce(0, |))
  }

  /// What has happened since the last call, oldest first.
  func takeEvents() -> [Event] {
    defer { events = [] }
    return events
  }

  func turn(_ fired: PollEvents) {
    do {
      for _ in 0..<Self.eventsPerTurn {
        guard try frames.receive(from: pair) else { break }
        if let event = read() { events.append(event) }
      }
    } catch {
      failed(error)
    }
    if events.count > Self.limit {
      dropped += events.count - Self.limit
      events.removeFirst(events.count - Self.limit)
    }
    if !events.isEmpty { delegate?.monitorHasEvents() }
  }

  func isReady() -> Bool {
    do {
      return try pair.readiness.contains(.input)
    } catch {
      failed(error)
      return false
    }
  }

  private func failed(_ error: ZMQError) {
    watch = nil
    delegate?.socketFailed(error)
  }

  /// An event is a 16-bit kind and a 32-bit value in host order; the second frame is the address.
  private func read() -> Event? {
    guard frames.count == 2, frames[0].count >= 6 else { return nil }
    let value = frames[0].loadUnaligned(fromByteOffset: 2, as: UInt32.self)
    let kind: Event.Kind
    switch CInt(frames[0].loadUnaligned(as: UInt16.self)) {
    case ZMQ_EVENT_CONNECT_DELAYED: kind = .began
    case ZMQ_EVENT_CONNECT_RETRIED: kind = .retried
    case ZMQ_EVENT_CONNECTED: kind = .opened(toItself: Self.isConnectedToItself(CInt(bitPattern: value)))
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: kind = .established
    case ZMQ_EVENT_ACCEPTED: kind = .accepted(descriptor: CInt(bitPattern: value))
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: kind = .failed(isMisfit: false)
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: kind = .failed(isMisfit: Self.misfits.contains(value))
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: kind = .refused
    case ZMQ_EVENT_DISCONNECTED: kind = .closed(descriptor: CInt(bitPattern: value))
    default: return nil
    }
    return Event(kind: kind, address: Endpoint.canonical(String(decoding: frames[1], as: UTF8.self)))
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
