public import Logging
public import Reactor
public import ZeroMQ

/// Who receives published calls.
public protocol SubscriberDelegate: AnyObject {
  /// A call was published on a topic that is subscribed to. Nothing in it is validated.
  func published(_ call: BorrowedCall)
  /// A call was published in a message with a fifth frame, on a subscriber that takes such. Without a method of its own, the call counts as
  /// any other.
  func published(_ call: BorrowedCall, extra: UnsafeRawBufferPointer)
  /// A message came on a topic that is subscribed to, and is dropped: it has not the four frames of a published call.
  func dropped(topic: UnsafeRawBufferPointer)
  /// A message came on a topic that is subscribed to, and is dropped: one of its frames is too long, with so many bytes. That is not
  /// written to the log: who has set the limit knows what it is called. Without a method of its own, it is dropped as any other.
  func dropped(topic: UnsafeRawBufferPointer, frameOf bytes: Int)
  /// The last of the calls that were received in one go has been handed over.
  func publishedAll()
  /// A publisher came or went: how many of the configured endpoints have one now, and how many are configured.
  func upstreamChanged(connected: Int, of endpoints: Int)
}

extension SubscriberDelegate {
  public func published(_ call: BorrowedCall, extra: UnsafeRawBufferPointer) { published(call) }

  public func dropped(topic: UnsafeRawBufferPointer, frameOf bytes: Int) { dropped(topic: topic) }
}

/// Receives published calls on a SUB socket. Confined to a loop's thread.
///
/// Subscriptions outlive publishers: one that comes back is told all of them again, also beyond the high-water mark of 1,000 that
/// sockets have by default (see `SocketOptions.sendHighWaterMark`).
public final class Subscriber: LoopSocketDelegate {
  /// How many of the endpoints given as `connect` have a publisher; of a subscriber that only binds, how many of the bound ones.
  public var connectedEndpoints: Int { outgoing.all.isEmpty ? socket.visitedBindings : socket.connectedEndpoints }
  /// How many of those there are.
  public var endpointCount: Int { outgoing.all.isEmpty ? bind.count : outgoing.all.count }
  /// Whether all of them have one. False when the socket is closed.
  public var isConnected: Bool { socket.isOpen && connectedEndpoints >= endpointCount }
  /// Where it is bound, wildcards resolved.
  public var bindings: [Endpoint] { socket.bindings }
  /// Messages that were dropped because they have not the four frames of a published call, or one beyond the limit. What the frames hold
  /// is not looked at.
  public var malformedMessages: Int { malformed.count + tooLong }
  /// Who receives. Not kept alive.
  public weak var delegate: (any SubscriberDelegate)?
  /// Whether messages may have a fifth frame behind those of the call.
  public var takesExtraFrame: Bool
  private let socket: LoopSocket
  private let bind: [Endpoint]
  private let outgoing: OutgoingEndpoints
  private let longestFrame: Int
  private let states: EndpointStates
  private let logger: Logger
  private var malformed = PowerOfTwoCounter()
  private var tooLong = 0

  /// Binds, and begins to connect to each endpoint; subscribed to nothing. Messages with a frame of more than `longestFrame` bytes are
  /// dropped; a publisher that sends one of more than four times that is disconnected. `takesExtraFrame`: messages may have a fifth frame
  /// behind those of the call. What becomes of the connections, `states` learns. `security`: how it shows who it is.
  public init(
    bind: [Endpoint] = [], connect: [Endpoint] = [], longestFrame: Int, takesExtraFrame: Bool = false,
    states: EndpointStates? = nil, security: SocketSecurity = .null, in context: Context, on loop: Loop,
    logger: Logger = Logger(label: "zmq.rpc")
  ) throws(ZMQError) {
    self.bind = bind
    self.longestFrame = longestFrame
    self.takesExtraFrame = takesExtraFrame
    self.logger = logger
    self.states = states ?? EndpointStates(.subscribe, bind: bind, connect: connect, logger: logger)
    var options = SocketOptions()
    options.ipv6 = true
    options.security = security
    let most = longestFrame.multipliedReportingOverflow(by: 4)
    options.longestFrame = most.overflow ? nil : most.partialValue
    socket = try LoopSocket(.subscribe, options: options, in: context, on: loop)
    outgoing = OutgoingEndpoints(of: socket, self.states, logger: logger)
    socket.delegate = self
    for endpoint in bind { self.states.bound(endpoint, as: try socket.bind(endpoint)) }
    try outgoing.add(connect)
  }

  /// Receives topics that begin with the prefix: at most `Socket.longestPrefix` bytes; the empty one means all.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) { try socket.subscribe(prefix) }

  /// Begins to connect to those of the endpoints that it does not connect to already, and tells them all subscriptions. Throws when one
  /// cannot be used at all.
  public func connect(_ endpoints: [Endpoint]) throws(ZMQError) { try outgoing.add(endpoints) }

  /// Ends the connections to all endpoints but these, with what they have sent and is not handed over yet.
  public func disconnect(allBut endpoints: [Endpoint]) { outgoing.removeAll(but: endpoints, of: self) }

  /// Ends a subscription.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) { try socket.unsubscribe(prefix) }

  /// Closes the socket. A second call does nothing.
  public func close() {
    socket.close()
    states.closed(self)
  }

  // MARK: What the socket tells

  public func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    let hasExtraFrame = takesExtraFrame && message.count == 5
    let longest = longestFrame(of: message)
    // libzmq matches the first frame with the subscriptions, so there always is one.
    if longest > longestFrame {
      tooLong += 1
      delegate?.dropped(topic: message[0], frameOf: longest)
      return
    }
    guard message.count == 4 || hasExtraFrame else {
      if malformed.increment() { logger.reportMalformed(malformed.count, endpoints: endpoints) }
      delegate?.dropped(topic: message[0])
      return
    }
    let call = BorrowedCall(topic: message[0], method: message[1], arguments: message[2], keywords: message[3])
    if hasExtraFrame {
      delegate?.published(call, extra: message[4])
    } else {
      delegate?.published(call)
    }
  }

  private func longestFrame(of message: borrowing ReceivedMessage) -> Int {
    var longest = 0
    for index in 0..<message.count { longest = max(longest, message[index].count) }
    return longest
  }

  public func messagesReceived(on socket: LoopSocket) { delegate?.publishedAll() }

  public func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {
    states.changed(event, at: endpoint, of: self)
    switch event {
    case .connected, .disconnected:
      delegate?.upstreamChanged(connected: connectedEndpoints, of: endpointCount)
    default: break
    }
  }

  public func failed(_ error: ZMQError, on socket: LoopSocket) { logger.report(error, endpoints: endpoints) }

  /// Where it is bound, with the ports it got, and what it connects to.
  private var endpoints: [Endpoint] { socket.bindings + outgoing.all }
}
