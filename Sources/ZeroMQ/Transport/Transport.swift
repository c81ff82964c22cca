import CZeroMQ
public import Reactor

/// A socket of any kind with a delegate: whole messages in both directions, and a buffer for what the socket cannot take yet.
///
/// It is an actor on its reactor. A task calls its members with `await`; its delegate, which is called there, without. Dropping it
/// without `close()` closes it within a turn, and drops what waits here and in libzmq; the delegate is told `connectionLost(nil)` of a transport
/// of the same kind that stands for it.
/// ```swift
/// final class Echo: TransportDelegate {
///   func messageReceived(_ message: Message, on transport: isolated Transport) { transport.write(message) }
/// }
/// let router = try await Transport.open(.router, bind: ["tcp://127.0.0.1:*"]) { Echo() }
/// let endpoint = await router.bindings[0]
/// ```
public actor Transport {
  /// So many writes after the end are ignored without a report.
  private static let unreportedWrites = 4

  public nonisolated let unownedExecutor: UnownedSerialExecutor
  /// Which pattern the socket speaks.
  public nonisolated let kind: SocketKind
  /// Where it lives. It must not be stopped before the transport has ended.
  public nonisolated let reactor: Reactor
  /// Where `bind` has bound it, wildcards resolved, in that order; none after its end.
  public var bindings: [Endpoint] { socket?.bindings ?? [] }
  /// What `connect` was called for, as it was written, in that order, each once; none after its end.
  public private(set) var connections: [Endpoint] = []
  /// What a SUB socket was subscribed to through this transport; none after its end.
  public private(set) var subscriptions: Set<[UInt8]> = []
  /// `pauseReading()` was called last.
  public private(set) var isReadingPaused = false

  private let line = TransportLine()
  private var intake = MessageIntake()
  private var calls: DelegateCalls
  private var phase = TransportPhase.open
  /// Nil after its end.
  private(set) var socket: LoopSocket?
  private(set) var buffer = WriteBuffer()
  private var lateWrites = 0
  private var patience: Timer?
  /// While it closes, nobody else may hold it.
  private var itself: Transport?
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private init(_ kind: SocketKind, on reactor: Reactor, _ report: @escaping @Sendable (TransportReport) -> Void) {
    self.kind = kind
    self.reactor = reactor
    calls = DelegateCalls(kind, report)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  isolated deinit {  // On the reactor's thread, where socket and delegate belong.
    socket?.dropsWhatWaits()
    if phase == .open, let socket, calls.delegate != nil { Self.bury(socket, calls, kind, reactor) }
  }

  /// Has the delegate of one that was dropped told the end. A delegate may keep the transport that it is told it of, so it is another one.
  private static func bury(_ socket: LoopSocket, _ calls: DelegateCalls, _ kind: SocketKind, _ reactor: Reactor) {
    let heir = Transport(kind, on: reactor, TransportReport.log)
    // Safe: the heir lives on the same thread, and has them alone.
    nonisolated(unsafe) let estate = (socket, calls)
    heir.assumeIsolated { heir in
      (heir.socket, heir.calls) = estate
      heir.end(nil)
    }
  }

  /// Makes a socket, or takes one over (then its options stay as they are), and binds and connects it.
  ///
  /// The delegate is made on the reactor, once, and told `connectionMade` before anything else. When the call throws, the socket is
  /// closed, and the delegate was told `connectionLost` if it was made. Options begin as `SocketOptions()`, with 30 s of linger, SUB and XSUB with none.
  public nonisolated(nonsending) static func open<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ kind: SocketKind, bind: [Bind] = [String](), connect: [Connect] = [String](), on reactor: Reactor = .shared,
    in context: Context = .shared, adopting adopted: SocketOffer? = nil,
    options configure: (inout SocketOptions) -> Void = { _ in },
    reporting report: @escaping @Sendable (TransportReport) -> Void = TransportReport.log,
    delegate: @Sendable () -> any TransportDelegate
  ) async throws(ZMQError) -> Transport {
    var options = SocketOptions()
    options.linger = kind == .subscribe || kind == .xSubscribe ? .zero : .seconds(30)
    configure(&options)
    let transport = Transport(kind, on: reactor, report)
    try await transport.start(options, in: context, adopting: adopted, delegate)
    do throws(ZMQError) {
      for endpoint in bind { try await transport.bind(endpoint) }
      for endpoint in connect { try await transport.connect(endpoint) }
    } catch {
      await transport.lose(error)
      await transport.waitClosed()
      throw error
    }
    return transport
  }

  private func start(
    _ options: consuming SocketOptions, in context: Context, adopting adopted: SocketOffer?,
    _ make: () -> any TransportDelegate
  ) throws(ZMQError) {
    let subscriptions = options.takeSubscriptions()
    let inner = if let adopted { try adopted.take(kind) } else { try Socket(kind, in: context, options: options) }
    let socket = try LoopSocket(inner, on: reactor.loop)
    line.lead(to: self)
    (socket.delegate, socket.taker) = (line, line)
    self.socket = socket
    if adopted == nil { for subscription in subscriptions { try set(subscription) } }
    calls.begin(with: make())
    calls.made(on: self)
  }

  /// What was made for it when it was opened; nil after `connectionLost`.
  public var delegate: (any TransportDelegate)? { calls.delegate }

  /// False from `close()`, `abort()` or an error on.
  public var isOpen: Bool { phase == .open }

  /// Binds, and returns the endpoint with wildcards resolved. A host's name is looked up beside the reactor first, which can be cancelled.
  @discardableResult
  public func bind(_ endpoint: some EndpointConvertible) async throws(ZMQError) -> Endpoint {
    let asked = try endpoint.endpoint(for: "bind to")
    let address = try await asked.bindAddress(ipv6: option(.ipv6))
    return try openSocket(for: "bind").bind(address)
  }

  /// Closes a binding, by what `bind` returned or was given; throws `notFound` for another. Over tcp and ipc libzmq ends the connections that came
  /// in there as well, and drops what it has still to send to them; over inproc they stay. Returns when others may bind to it.
  public func unbind(_ endpoint: some EndpointConvertible) async throws(ZMQError) {
    let free = Waiter<Bool>()
    try openSocket(for: "unbind").unbind(endpoint.endpoint(for: "unbind")) { free.resume(true) }
    _ = await free.wait()
  }

  /// Begins to connect, and keeps at it until `disconnect`. To connect to an endpoint twice is to connect to it once; a connection
  /// that is over (see the option `reconnect`) is made again. A host's name is looked up beside the reactor; one without an address is
  /// reported, and looked up again. One with several turns `SocketOptions.immediate` on, for it and for what is connected to later.
  @discardableResult
  public func connect(_ endpoint: some EndpointConvertible) throws(ZMQError) -> Endpoint {
    let endpoint = try endpoint.endpoint(for: "connect to")
    let begins = try openSocket(for: "connect").connect(endpoint)
    if begins, !connections.contains(where: { $0.isSame(as: endpoint) }) { connections.append(endpoint) }
    return endpoint
  }

  /// Ends what `connect` has begun; throws `notFound` for another. Messages that have come and are not handed over yet may be lost.
  public func disconnect(_ endpoint: some EndpointConvertible) throws(ZMQError) {
    let endpoint = try endpoint.endpoint(for: "disconnect from")
    try openSocket(for: "disconnect").disconnect(endpoint)
    if let index = connections.firstIndex(where: { $0.isSame(as: endpoint) }) { connections.remove(at: index) }
  }

  // MARK: Writing

  /// Sends a message. Never waits: what the socket has no room for goes into the buffer, and later out of it, in order. A message
  /// without frames is ignored, and so is one after the end, which is reported from the fifth time on.
  ///
  /// An error of libzmq's ends the transport, such as that of a REQ socket that is to send twice; `connectionLost` tells it. Only a
  /// message that cannot be sent at all is dropped and reported (see `TransportReport`).
  public func write(_ message: Message) { write(message, to: socket) }

  /// The same, for those who have looked the socket up already, because they have many.
  func write(_ message: Message, to socket: LoopSocket?) {
    guard !message.isEmpty else { return }
    guard phase == .open, let socket else {
      lateWrites += 1
      if lateWrites > Self.unreportedWrites { calls.report(.writtenAfterEnd(count: lateWrites)) }
      return
    }
    if buffer.isEmpty, send(message, to: socket) { return }
    if phase == .open, let change = buffer.append(message) { calls.change(change, on: self) }
  }

  /// Sets the limits. Without `high` it becomes four times `low`, without `low` a quarter of `high`, without both they are as at
  /// first. Throws `invalid` unless 0 <= low <= high.
  public func setWriteBufferLimits(high: Int? = nil, low: Int? = nil) throws(ZMQError) {
    guard buffer.setLimits(high: high, low: low) else {
      throw ZMQError(code: .invalid, call: "limits of the write buffer, which need 0 <= low <= high")
    }
    if let change = buffer.change() { calls.change(change, on: self) }
  }

  /// True when the message is gone: sent or dropped, or the transport is at its end.
  private func send(_ message: Message, to socket: LoopSocket) -> Bool {
    do throws(ZMQError) {
      return try socket.send(message)
    } catch {
      if !calls.dropped(message, for: error) { end(error) }
      return true
    }
  }

  func flush() {
    guard let socket else { return }
    calls.gatherGone()
    defer { calls.tellGone() }
    while phase == .open || phase == .closing, let message = buffer.first {
      // Sending may end the transport, which empties the buffer.
      guard send(message, to: socket), !buffer.isEmpty else { return }
      if let change = buffer.removeFirst() { calls.change(change, on: self) }
    }
    if phase == .closing { end(nil) }
  }

  // MARK: Reading

  func takeMessages(atMost limit: Int) -> Result<MessagesLeft, ZMQError> {
    guard let socket else { return .success(.unknown) }
    return calls.deliver(atMost: limit, from: socket, &intake, on: self)
  }

  /// Has messages wait in libzmq's queue. Throws when they do already, and when the transport is closed.
  public func pauseReading() throws(ZMQError) {
    let socket = try openSocket(for: "pauseReading")
    guard !isReadingPaused else { throw ZMQError(code: .already, call: "pauseReading, while it is paused") }
    isReadingPaused = true
    socket.isReading = false
  }

  /// Goes on. Throws when reading was not paused.
  public func resumeReading() throws(ZMQError) {
    guard isReadingPaused else { throw ZMQError(code: .invalid, call: "resumeReading, while it is not paused") }
    isReadingPaused = false
    if phase == .open { socket?.isReading = true }
  }

  /// Receives what begins with the prefix too; the empty one means everything. To subscribe twice is to subscribe once. Throws for a
  /// kind other than SUB, and for a prefix longer than `Socket.longestPrefix`.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) {
    let socket = try openSocket(for: "subscribe", only: .subscribe)
    if subscriptions.contains(prefix) { return }
    try socket.subscribe(prefix)
    subscriptions.insert(prefix)
  }

  /// Takes a subscription back; does nothing for one that is not there.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) {
    let socket = try openSocket(for: "unsubscribe", only: .subscribe)
    if subscriptions.remove(prefix) != nil { try socket.unsubscribe(prefix) }
  }

  // MARK: The end

  /// Closes: nothing more is received, and what waits is still sent, for as long as `SocketOptions.linger` says. Then
  /// `connectionLost(nil)` is told. It does not wait for that; a second call does nothing.
  public func close() {
    guard phase == .open else { return }
    phase = .closing
    socket?.isReading = false
    guard !buffer.isEmpty, !reactor.loop.isStopped else { return end(nil) }
    itself = self
    if let linger = socket?.linger { patience = reactor.loop.schedule(at: reactor.loop.now + linger, line) }
  }

  /// Ends at once: what waits here and in libzmq is dropped. `connectionLost(nil)` is told in the next turn. After the end it
  /// does nothing: what libzmq had taken before an error is still sent.
  public func abort() {
    socket?.dropsWhatWaits()
    end(nil)
  }

  /// Returns when `connectionLost` has been told, the socket is closed, and others may bind to what it was bound to.
  public func waitClosed() async {
    await withCheckedContinuation { if phase == .ended { $0.resume() } else { waiting.append($0) } }
  }

  func patienceEnded() {
    patience = nil
    if socket?.linger != .zero { calls.report(.unsent(count: buffer.count)) }
    end(nil)
  }

  func socketFailed(_ error: ZMQError) {
    if socket?.isOpen == true { calls.report(.failed(error)) } else { end(error) }
  }

  func report(_ event: TransportReport.Event) { calls.report(event) }

  private func end(_ error: ZMQError?) {
    guard phase == .open || phase == .closing else { return }
    phase = .ending
    buffer.removeAll()
    socket?.isReading = false
    if let error { calls.report(.ended(error)) }
    reactor.submit { self.assumeIsolated { $0.lose(error) } }
  }

  private func lose(_ error: ZMQError?) {
    guard phase != .leaving, phase != .ended else { return }
    phase = .ending
    if let patience = patience.take() { reactor.loop.cancel(patience) }
    calls.lost(error, on: self)
    calls.end()
    phase = .leaving
    (itself, connections, subscriptions) = (nil, [], [])
    socket.take()?.close { [self] in
      phase = .ended
      while let waiter = waiting.popLast() { waiter.resume() }
    }
  }
}
