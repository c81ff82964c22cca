import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// Where calls without replies go: the workers of a pipeline service, or the subscribers of a publish-subscribe service.
final class OneWayUpstream {
  /// Who sends.
  private enum Sender {
    /// A socket of this shard's.
    case client(OneWayClient)
    /// Peers connect to the gateway, and another shard has the socket.
    case distant(DistantSocket)
  }

  private let sender: Sender
  /// Whether peers connect to the gateway.
  private let isBound: Bool
  let policy: MethodPolicy
  /// Nil when the configuration declares none.
  private let declared: DeclaredMethods?
  let reader: JSONToMessagePack
  let loop: Loop
  private let linger: Duration
  private let shared: SharedService

  /// `distant` is the socket where peers connect to the gateway and another shard is the service's home.
  init(
    _ pattern: OneWayClient.Pattern, connect: [Endpoint], bind: [Endpoint], of service: Configuration.Service,
    in configuration: Configuration, shared: SharedService, distant: DistantSocket?, context: Context, loop: Loop,
    logger: Logger
  ) throws {
    sender =
      if let distant {
        .distant(distant)
      } else {
        .client(
          try OneWayClient(
            pattern, bind: bind, connect: connect, memory: shared.memory, states: shared.outgoing,
            linger: Self.linger(configuration), security: service.security, in: context, on: loop, logger: logger
          ))
      }
    linger = Self.linger(configuration)
    self.loop = loop
    self.shared = shared
    isBound = !bind.isEmpty
    policy = MethodPolicy(service.methods)
    declared = DeclaredMethods(service.methods.declared, policy, limits: configuration.http.limits.transcoding)
    reader = service.reader(limits: configuration.http.limits.transcoding)
  }

  /// The same sockets with other settings for callers.
  init(_ service: Configuration.Service, in configuration: Configuration, insteadOf former: OneWayUpstream) {
    (sender, isBound, loop, shared) = (former.sender, former.isBound, former.loop, former.shared)
    linger = Self.linger(configuration)
    policy = MethodPolicy(service.methods)
    declared = DeclaredMethods(service.methods.declared, policy, limits: configuration.http.limits.transcoding)
    reader = service.reader(limits: configuration.http.limits.transcoding)
  }

  /// Longer than a stop waits, which then knows that something has not left.
  private static func linger(_ configuration: Configuration) -> Duration { configuration.grace + .seconds(1) }

  /// The method of that name, if callers reach it.
  func method(_ name: String) throws(Problem) -> MethodName { try policy.method(name) }

  /// Whether each endpoint has a connection, or somebody has connected.
  var isConnected: Bool { if case .client(let client) = sender, !isBound { client.isConnected } else { isReady } }

  /// Whether there is anybody to send to.
  var isReady: Bool {
    if case .client(let client) = sender { client.connectedPeers > 0 } else { shared.outgoing?.isUp == true }
  }

  /// Whether calls have to be handed over to another shard, which has the socket.
  var isDistant: Bool { if case .distant = sender { true } else { false } }

  /// Sends a call, published on a topic where there is one; its arguments lie in the buffer. Throws why nothing takes it. Not for one
  /// that is distant.
  func send(
    _ topic: [UInt8]?, _ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer
  ) throws(Problem) {
    try lend(topic, method, frames, in: buffer) { call throws(CallFailure) in
      guard case .client(let client) = sender else { throw CallFailure(.closed, sent: false) }
      try send(call, by: client)
    }
  }

  /// The same, of one that is distant: throws what is known at once, and tells `receipt` in a later turn that libzmq has taken it, by
  /// nil, or why nothing takes it.
  func handOver(
    _ topic: [UInt8]?, _ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer,
    receipt: @escaping (Problem?) -> Void
  ) throws(Problem) {
    try lend(topic, method, frames, in: buffer) { call throws(CallFailure) in
      guard case .distant(let socket) = sender else { throw CallFailure(.closed, sent: false) }
      try socket.send(call) { failure in receipt(failure.map { Problem($0) }) }
    }
  }

  private func lend(
    _ topic: [UInt8]?, _ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer,
    to send: (BorrowedCall) throws(CallFailure) -> Void
  ) throws(Problem) {
    try declared?.check(method, frames, in: buffer)
    do throws(CallFailure) {
      try frames.withFrames(in: buffer) { arguments, keywords throws(CallFailure) in
        try method.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
          var call = BorrowedCall(method: method, arguments: arguments, keywords: keywords)
          guard let topic else { return try send(call) }
          try topic.span.withUnsafeBytes { topic throws(CallFailure) in
            call.topic = topic
            try send(call)
          }
        }
      }
    } catch {
      throw Problem(error)
    }
  }

  private func send(_ call: BorrowedCall, by client: OneWayClient) throws(CallFailure) {
    // A bound publisher would take it, and drop it.
    if isBound, client.connectedPeers == 0 { throw shared.noBackend }
    try client.send(call)
  }

  /// Sends what another shard has handed over.
  func receive(_ call: TravellingCall) -> DistantSocket.Outcome {
    guard case .client(let client) = sender else { return .failed(CallFailure(.closed, sent: false)) }
    return call.call.lend { call in
      do throws(CallFailure) {
        try send(call, by: client)
        return .taken
      } catch {
        return .failed(error)
      }
    }
  }

  /// Begins to connect to those peers that are new. Throws when an endpoint cannot be used.
  func connect(_ endpoints: [Endpoint]) throws(ZMQError) {
    if case .client(let client) = sender { try client.connect(endpoints) }
  }

  /// Sends to those peers only from now on; what was sent to others and has not left may be lost.
  func settle(_ endpoints: [Endpoint]) {
    guard case .client(let client) = sender else { return }
    client.linger(linger)
    client.use(only: endpoints)
  }

  /// Closes the socket.
  func close() {
    switch sender {
    case .client(let client): client.close()
    case .distant(let socket): socket.close()
    }
  }
}
