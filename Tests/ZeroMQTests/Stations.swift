import Glibc
import Reactor
import Support
import Testing

@testable import ZeroMQ

/// A socket on a reactor, as a client of it lives: what it is told is read by tests.
actor Station: LoopSocketDelegate {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  nonisolated let reactor: Reactor
  nonisolated let events = Guarded<[ConnectionEvent]>([])
  nonisolated let messages = Guarded<[[[UInt8]]]>([])
  /// The user of each message, as the authenticator named it.
  nonisolated let users = Guarded<[String?]>([])
  nonisolated let errors = Guarded<[ZMQError]>([])
  nonisolated let writables = Tally()
  nonisolated let batches = Tally()
  /// What to do with the socket at each message, on the reactor.
  nonisolated let atMessage = Guarded<(@Sendable (LoopSocket) -> Void)?>(nil)
  private var context: Context?
  private var socket: LoopSocket?

  init(_ reactor: Reactor, in context: Context) {
    self.reactor = reactor
    self.context = context
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  func open(
    _ kind: SocketKind, _ options: SocketOptions = .init(), messagesPerTurn: Int = 256, resolver: Resolver = .shared
  ) throws {
    guard let context else { return }
    let socket = try LoopSocket(
      Socket(kind, in: context, options: options), messagesPerTurn, on: reactor.loop, resolver: resolver)
    socket.delegate = self
    self.socket = socket
  }

  func bind(_ text: String) throws -> String { try socket?.bind(Endpoint(text)).description ?? "" }
  func unbind(_ text: String) throws { try socket?.unbind(Endpoint(text)) }
  func connect(_ text: String) throws { try socket?.connect(Endpoint(text)) }
  /// Connects, and keeps the reactor busy until a message is there.
  func connectAndStall(_ text: String) throws {
    try connect(text)
    let end = Instant.monotonic() + .seconds(10)
    while socket?.readiness()?.contains(.input) != true, Instant.monotonic() < end {}
  }
  func disconnect(_ text: String) throws { try socket?.disconnect(Endpoint(text)) }
  func send(_ frames: [[UInt8]]) throws -> Bool { try socket?.send(frames) ?? false }
  func set<Value: Sendable>(_ option: SocketOption<Value>, to value: Value) throws {
    try socket?.set(option, to: value)
  }
  func subscribe(_ prefix: [UInt8]) throws { try socket?.subscribe(prefix) }
  func unsubscribe(_ prefix: [UInt8]) throws { try socket?.unsubscribe(prefix) }
  func read(_ reads: Bool) { socket?.isReading = reads }
  func monitor() throws -> Monitor? { try socket?.monitor() }
  /// Waits for a subscriber; nil where that is not known.
  func wait(for topic: [UInt8]) throws -> Waiter<Subscribers.Outcome>? {
    guard let subscribers = socket?.subscribers else { return nil }
    let waiter = Waiter<Subscribers.Outcome>()
    subscribers.wait(for: topic, waiter)
    return waiter
  }
  /// Returns when others can bind where it was bound.
  func close() async {
    await withCheckedContinuation { closed in
      guard let socket else { return closed.resume() }
      socket.close { closed.resume() }
    }
  }
  func drop() { socket = nil }
  func dropAll() { (socket, context) = (nil, nil) }
  func bindAnyPort() throws -> UInt16 { try Endpoint(bind("tcp://127.0.0.1:*")).port }
  func fires(_ tally: Tally, in delay: Duration) {
    _ = reactor.loop.schedule(at: reactor.loop.now + delay, Later(tally))
  }

  /// Whether the loop sleeps: few turns pass in a while.
  func rests() async -> Bool {
    let (before, later) = (reactor.loop.turns, Tally())
    fires(later, in: .milliseconds(100))
    await later.reaches(1)
    return reactor.loop.turns - before < 20
  }
  var isOpen: Bool { socket?.isOpen ?? false }
  var connected: Int { socket?.connected ?? 0 }
  var endpoints: [Int] { [socket?.connectedEndpoints ?? 0, socket?.endpointCount ?? 0] }

  nonisolated func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    var frames: [[UInt8]] = []
    for index in 0..<message.count { frames.append(Array(message[index])) }
    let user = message.property("User-Id")
    users.withLock { $0.append(user) }
    messages.withLock { [frames] in $0.append(frames) }
    atMessage.withLock { $0 }?(socket)
  }
  nonisolated func messagesReceived(on socket: LoopSocket) { batches.countUp() }
  nonisolated func writable(on socket: LoopSocket) { writables.countUp() }
  nonisolated func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {
    events.withLock { $0.append(event) }
  }
  nonisolated func failed(_ error: ZMQError, on socket: LoopSocket) { errors.withLock { $0.append(error) } }

  nonisolated func sees(_ wanted: [ConnectionEvent]) async throws {
    try await eventually("\(wanted)") { events.withLock { $0 } == wanted }
  }
  nonisolated func has(_ count: Int) async throws -> [[[UInt8]]] {
    try await eventually("\(count) messages") { messages.withLock { $0.count >= count ? $0 : nil } }
  }
}

final class Later: TimerHandler {
  private let fired: Tally
  init(_ fired: Tally) { self.fired = fired }
  func fired(_ timer: Timer) { fired.countUp() }
}

extension Endpoint {
  /// The port of a tcp endpoint; else 0.
  var port: UInt16 { if case .tcp(_, let port) = address { port } else { 0 } }
}

/// Stations on one reactor and one context.
final class Stations: Sendable {
  let reactor: Reactor
  let context: Context

  init() throws {
    reactor = try Reactor(name: "stations")
    context = try Context()
  }

  func open(
    _ kind: SocketKind, _ options: SocketOptions = .init(), messagesPerTurn: Int = 256, resolver: Resolver = .shared
  ) async throws -> Station {
    let station = Station(reactor, in: context)
    try await station.open(kind, options, messagesPerTurn: messagesPerTurn, resolver: resolver)
    return station
  }

  static func with(_ body: (Stations) async throws -> Void) async throws {
    let stations = try Stations()
    do {
      try await body(stations)
    } catch {
      await stations.reactor.stop()
      throw error
    }
    await stations.reactor.stop()
  }
}
