import Reactor

/// Passes messages on between two sockets, in both directions that their kinds allow, until it is told to stop.
///
/// | front | back | what it is |
/// |---|---|---|
/// | ROUTER | DEALER | a queue: requests of many clients for many services, each reply to its client |
/// | XSUB | XPUB | a forwarder: events of many publishers for many subscribers, whose subscriptions reach the publishers |
/// | PULL | PUSH | a streamer: work of many for many workers |
///
/// Messages pass whole and in order, and their frames are moved, never copied. While a side has no room, nothing is taken for it from the
/// other, whose peers then wait in their turn. What has no room by its kind is dropped and counted: a reply to a client of a ROUTER that is
/// gone or reads nothing, an event for a subscriber that does not keep up.
///
/// While it runs, the transports' delegates get no messages. Their sockets stay open, also when it ends.
///
/// ```swift
/// let proxy = Proxy(router, dealer)
/// let running = Task { try await proxy.run() }
/// print(await proxy.statistics.forth.messages)
/// running.cancel()
/// ```
public actor Proxy {
  public nonisolated let unownedExecutor: UnownedSerialExecutor
  /// Whether `run()` is under way.
  public var isRunning: Bool { engine != nil }
  /// Whether messages stay where they are.
  public private(set) var isPaused = false
  /// What it has moved since `run()` was called last.
  public var statistics: ProxyStatistics { engine?.statistics ?? last }
  private let front: Transport, back: Transport, capture: Transport?
  private var engine: ProxyEngine?
  private var end: Waiter<ZMQError?>?
  private var last = ProxyStatistics()

  /// A proxy between two transports of one reactor. Each message is also sent to `capture`, if there is one; one that it cannot
  /// take, as without room or peer, is counted, and passes all the same.
  public init(_ front: Transport, _ back: Transport, capture: Transport? = nil) {
    (self.front, self.back, self.capture) = (front, back, capture)
    unownedExecutor = front.unownedExecutor
  }

  /// Passes messages on until `terminate()` is called or the task is cancelled. Throws when it cannot begin, as with two sockets that do
  /// not go together, and when a socket closes or fails.
  public func run() async throws(ZMQError) {
    guard engine == nil else { throw ZMQError(code: .already, call: "a proxy that runs already") }
    let end = Waiter<ZMQError?>()
    let engine = try ProxyEngine(
      socket(of: front), socket(of: back),
      capture: capture.map { transport throws(ZMQError) in try socket(of: transport) },
      on: front.reactor.loop, ended: { end.resume($0) })
    (self.engine, self.end) = (engine, end)
    engine.isPaused = isPaused
    engine.start()
    let error = await end.wait(orIfCancelled: nil)
    engine.stop()
    last = engine.statistics
    (self.engine, self.end) = (nil, nil)
    if let error { throw error }
  }

  /// Leaves messages where they are, until `resume()`. Their senders wait as soon as the queues are full.
  public func pause() { setPaused(true) }

  /// Goes on.
  public func resume() { setPaused(false) }

  /// Ends `run()`.
  public func terminate() { end?.resume(nil) }

  private func setPaused(_ value: Bool) {
    isPaused = value
    engine?.isPaused = value
  }

  private func socket(of transport: Transport) throws(ZMQError) -> LoopSocket {
    guard transport.reactor === front.reactor else {
      throw ZMQError(code: .invalid, call: "a proxy between sockets of two reactors; open them on one")
    }
    // Safe: the transport's reactor is this actor's.
    nonisolated(unsafe) var socket: LoopSocket?
    transport.assumeIsolated { if $0.isOpen { socket = $0.socket } }
    guard let socket else { throw ZMQError(code: .notSocket, call: "a proxy with a closed transport") }
    return socket
  }
}

/// Passes messages on between two sockets until the task is cancelled, as a `Proxy` that nobody steers.
public func proxy(
  _ front: Transport, _ back: Transport, capture: Transport? = nil
) async throws(ZMQError) {
  try await Proxy(front, back, capture: capture).run()
}
