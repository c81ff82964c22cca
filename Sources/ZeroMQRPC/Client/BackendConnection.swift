import Reactor
import ZeroMQ

/// An engine's connection to one endpoint: a DEALER socket, and the counts of what is under way on it. A bound one is that of all
/// backends that have connected to it: libzmq deals the calls out to them in turn, and nobody knows which of them has which.
///
/// It hands the frames of calls to its `LoopSocket`, and hands replies, changes of the connection, and room after a refusal up to
/// the engine. The socket keeps connecting when the backend goes. What was sent and not answered then is lost, and is not
/// delivered later: with `SocketOptions.immediate` libzmq drops it with the connection. Replies that came before the end count: the
/// socket hands over a bounded number of them before it tells the end.
final class BackendConnection {
  /// Of a socket with several bindings, the first.
  let endpoint: Endpoint
  /// Whether backends connect to it, and not the other way round.
  let isBound: Bool
  /// How many calls it can have when an endpoint of weight 1 has one; at least 1.
  var weight: Int
  /// Whether a backend is connected, at least one.
  private(set) var isUp = false
  /// Since when; nil while none is. Of a bound socket, since when none was lost.
  private(set) var connected: Instant?
  /// Replies to calls, late ones too. Wraps.
  private(set) var answeredCalls: UInt32 = 0
  /// When the latest message came that is no reply.
  private var garbled: Instant?
  /// It had no room for a call, and has not said yet that it has again.
  private(set) var isFull = false
  /// Calls sent and not ended.
  private(set) var sentCalls = 0
  /// Calls that have timed out since the last reply. The backend may still be busy with them.
  private(set) var timeoutsSinceReply = 0
  /// Calls that were cancelled since the last reply. The backend is not told, and may still be busy with them.
  private(set) var cancelledSinceReply = 0
  /// Timeouts that count as silence since the last reply, or since a fresh connection was last wanted in its place.
  private(set) var timeoutsSinceReplacement = 0
  /// Whether calls to its endpoint have failed since the last reply; the balancer keeps that.
  var isSuspect = false
  /// How busy the backend is, as far as one can tell: calls that were given up count until it shows that it is done with them.
  var load: Int { sentCalls + timeoutsSinceReply + cancelledSinceReply }
  /// Where it is bound, wildcards resolved.
  var bindings: [Endpoint] { socket.bindings }
  private let link: EngineLink
  private let line = ConnectionLine()
  private let states: EndpointStates
  private let socket: LoopSocket
  private let loop: Loop

  /// Begins to connect, and keeps at it until `close()`; or binds, if there are addresses to bind to.
  init(
    _ endpoint: Endpoint, binding addresses: [BindAddress] = [], weight: Int, options: RPCOptions,
    memory: MemoryBudget?,
    states: EndpointStates, engine link: EngineLink, in context: Context, on loop: Loop
  ) throws(ZMQError) {
    self.endpoint = endpoint
    isBound = !addresses.isEmpty
    self.weight = weight
    self.link = link
    self.states = states
    self.loop = loop
    socket = try LoopSocket(
      .dealer, options: options.socket, messagesPerTurn: options.repliesPerTurn, memory: memory, in: context, on: loop)
    line.connection = self
    socket.delegate = line
    for address in addresses { states.bound(address.endpoint, as: try socket.bind(address)) }
    if !isBound { try socket.connect(endpoint) }
    // libzmq does not tell who comes over inproc. Without anybody it has no room, and tells when it has.
    isUp = addresses.contains { if case .inproc = $0.endpoint.address { true } else { false } }
  }

  deinit { line.connection = nil }

  /// Sends the four frames of a request; false when there is no room, and then nothing was sent.
  func send(_ header: UnsafeRawBufferPointer, _ call: BorrowedCall) -> Bool {
    let frames: [4 of UnsafeRawBufferPointer] = [header, call.method, call.arguments, call.keywords]
    do throws(ZMQError) {
      if try socket.send(frames.span) {
        sentCalls += 1
        return true
      }
    } catch {
      link.engine?.failed(self, error)
    }
    // After an error too: `writable` follows, or the socket closes and tells it.
    isFull = true
    return false
  }

  /// Whether that is its endpoint, as it was given, or one of its bindings.
  func isAt(_ endpoint: Endpoint) -> Bool { self.endpoint == endpoint || socket.isBound(to: endpoint) }

  func close() {
    socket.close()
    states.closed(self, at: endpoint)
    isUp = false
    connected = nil
  }

  // MARK: The counts

  /// A call that was sent has ended, in whatever way.
  func callEnded() { sentCalls -= 1 }

  func callCancelled() { cancelledSinceReply += 1 }

  /// A call's deadline passed without a reply. It counts against the backend only if the backend was silent for long enough.
  func callTimedOut(isSilence: Bool) {
    timeoutsSinceReply += 1
    if isSilence { timeoutsSinceReplacement += 1 }
  }

  /// A reply came, if only a late one.
  func replied() {
    answeredCalls &+= 1
    owesNothing()
  }

  /// A message came that is no reply.
  func sentGarbage() { garbled = loop.now }

  /// The backend has shown that it hears, or is a fresh one.
  func owesNothing() {
    timeoutsSinceReply = 0
    cancelledSinceReply = 0
    timeoutsSinceReplacement = 0
  }

  /// What is known of a call that has not been answered: when it was made and sent, and how many had been answered by then.
  func silence(called: Instant, sent: Instant, answeredBefore: UInt32) -> Silence {
    Silence(
      queued: sent - called, waited: loop.now - sent, connected: connected.map { loop.now - $0 },
      answeredMeanwhile: Int(answeredCalls &- answeredBefore), isGarbled: garbled.map { $0 >= sent } ?? false)
  }

  /// The silence was acted upon, or that was put off because a fresh connection was tried a moment ago.
  func silenceNoted() {
    timeoutsSinceReplacement = 0
    if !isBound { states.silent(at: endpoint) }
  }

  // MARK: What the socket tells

  fileprivate func messageReceived(_ message: borrowing ReceivedMessage) {
    link.engine?.received(message, from: self)
  }

  fileprivate func writable() {
    isFull = false
    link.engine?.hasRoom()
  }

  fileprivate func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?) {
    states.changed(event, at: endpoint, of: self)
    switch event {
    case .connected:
      if !isUp { connected = loop.now }
      isUp = true
      isFull = false
      owesNothing()
    case .disconnected:
      // While another backend is connected, the calls that this one had may be any of those that were sent.
      guard socket.connected == 0 else {
        connected = loop.now
        return
      }
      isUp = false
      connected = nil
    default: break
    }
    link.engine?.changed(self, event)
  }

  fileprivate func failed(_ error: ZMQError) { link.engine?.failed(self, error) }
}

/// Hands on what the socket tells. The socket refers to its delegate weakly, and what is referred to weakly takes several times as
/// long to be retained: each call retains its connection.
private final class ConnectionLine: LoopSocketDelegate {
  // Safe: the connection takes itself out before it goes, on the loop's thread, on which the socket tells everything.
  unowned(unsafe) var connection: BackendConnection?

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    connection?.messageReceived(message)
  }

  func writable(on socket: LoopSocket) { connection?.writable() }

  func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {
    connection?.connectionChanged(event, at: endpoint)
  }

  func failed(_ error: ZMQError, on socket: LoopSocket) { connection?.failed(error) }
}
