public import Logging
public import Reactor
public import ZeroMQ

/// Who receives published calls.
public protocol SubscriberDelegate: AnyObject {
  /// A call was published on a topic that is subscribed to. Nothing in it is validated.
  func published(_ call: BorrowedCall)
  /// The last of the messages that came together has been handed over.
  func publishedAll()
  /// A publisher came or went: how many of the endpoints have one now.
  func upstreamChanged(connected: Int, of endpoints: Int)
}

/// Receives published calls on a SUB socket. Confined to a loop's thread.
public final class Subscriber: MonitorDelegate, SocketDelegate {
  /// libzmq 4.3.4 corrupts its subscription stream with longer ones.
  public static let longestPrefix = 245
  private static let messagesPerTurn = 256

  /// How many publishers are connected.
  public var connectedPeers: Int { monitor?.connected ?? 0 }
  /// Whether there are as many as endpoints.
  public var isConnected: Bool { connectedPeers >= endpoints.count }
  /// Messages with other than four frames.
  public var malformedMessages: Int { malformed.count }
  private var malformed = PowerOfTwoCounter()
  private let endpoints: [String]
  private let logger: Logger
  private let socket: Socket
  /// Who receives. Not kept alive.
  public weak var owner: (any SubscriberDelegate)?
  /// Where it is bound, wildcards resolved.
  public private(set) var bindings: [String] = []
  private var watch: SocketWatch?
  private var monitor: Monitor?
  private var frames = ReceivedMessage()

  /// Binds, and begins to connect to each endpoint; subscribed to nothing.
  public init(
    bind: [String] = [], connect endpoints: [String] = [], longestFrame: Int, in context: Context, on loop: Loop,
    logger: Logger = Logger(label: "zmq.rpc")
  ) throws {
    self.endpoints = bind + endpoints
    self.logger = logger
    var options = SocketOptions()
    options.longestFrame = longestFrame
    // Publishers may well be faster than this: the mark is reached, so no heartbeats.
    options.heartbeat = .zero
    socket = try Socket(.subscribe, in: context, options: options)
    monitor = try Monitor(socket, in: context, on: loop, owner: self)
    watch = try SocketWatch(socket, on: loop, owner: self)
    for endpoint in bind { bindings.append(try socket.bind(endpoint)) }
    for endpoint in endpoints { try monitor?.connect(endpoint) }
  }

  /// Receives topics that begin with the prefix: at most 245 bytes; the empty one means all.
  public func subscribe(_ prefix: [UInt8]) throws(ZMQError) {
    precondition(prefix.count <= Self.longestPrefix, "a longer prefix corrupts libzmq's subscriptions")
    try socket.subscribe(prefix)
    watch?.touched()
  }

  /// Ends a subscription.
  public func unsubscribe(_ prefix: [UInt8]) throws(ZMQError) {
    try socket.unsubscribe(prefix)
    watch?.touched()
  }

  /// Closes the socket.
  public func close() {
    monitor?.cancel()
    monitor = nil
    watch?.cancel()
    watch = nil
  }

  public func socketTurn() {
    var received = false
    for _ in 0..<Self.messagesPerTurn {
      guard (try? frames.receive(from: socket)) == true else { break }
      guard frames.count == 4 else {
        if malformed.increment() { logger.reportMalformed(malformed.count, endpoints: endpoints) }
        continue
      }
      received = true
      owner?.published(
        BorrowedCall(topic: frames[0], method: frames[1], arguments: frames[2], keywords: frames[3]))
    }
    frames.clear()
    if received { owner?.publishedAll() }
  }

  public func wantsTurn(_ readiness: Socket.Readiness) -> Bool { readiness.contains(.input) }

  public func monitor(_ event: Monitor.Event) {
    logger.report(event, connected: connectedPeers, endpoints: endpoints)
    owner?.upstreamChanged(connected: connectedPeers, of: endpoints.count)
  }
}
