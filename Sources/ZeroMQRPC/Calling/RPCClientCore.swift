import MessagePack
import Reactor
import ZeroMQ

/// What the copies of a client share: an engine on its reactor, and the calls that await replies.
actor RPCClientCore: ClientCore {
  /// A call without a deadline has this one.
  private static let century = Duration.seconds(100 * 365 * 86_400)
  /// Bytes of the longest reply that is copied; a longer one is kept as it came.
  private static let longestCopy = 64 << 10

  nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private nonisolated let packer: Packer
  private nonisolated let options: RPCClientOptions
  /// Calls that the reactor has not begun yet.
  private nonisolated let outbox = CallOutbox()
  private var beginning: [AwaitedReply] = []
  private var engine: CallEngine?
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private init(_ options: RPCClientOptions, on reactor: Reactor) {
    self.options = options
    self.reactor = reactor
    packer = Packer(limits: options.limits, allowsAnyKeys: options.allowsAnyKeys)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  isolated deinit { end() }

  /// Starts one. When it throws, nothing is left of it.
  static func start(
    connect: [any EndpointConvertible], bind: [any EndpointConvertible], _ options: RPCClientOptions,
    in context: Context, on reactor: Reactor
  ) async throws -> RPCClientCore {
    let core = RPCClientCore(options, on: reactor)
    try await core.open(in: context)
    do {
      for endpoint in bind { try await core.bind(endpoint.asEndpoint()) }
      for endpoint in connect { try await core.connect(endpoint.asEndpoint()) }
    } catch {
      await core.close()
      throw error
    }
    return core
  }

  private func open(in context: Context) throws {
    var connections = options.connections
    connections.waitsForBackend = !options.failFast
    connections.security = options.security
    connections.longestShortReply = Self.longestCopy
    engine = try CallEngine(
      inFlight: SharedLimit(limit: options.callsUnderWay), waiting: SharedLimit(limit: options.waitingCalls),
      memory: MemoryBudget(limit: options.bytes), options: connections, in: context, on: reactor.loop,
      logger: options.logger)
  }

  // MARK: Calls

  /// A call as it travels.
  nonisolated func packed(
    _ name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) throws -> CopiedCall {
    try options.translators.use { try packer.pack(name, arguments, keywords) }
  }

  /// One that is written out.
  nonisolated func packed(
    _ name: String, _ arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) throws -> CopiedCall {
    try options.translators.use { try packer.pack(name, arguments) }
  }

  /// Calls, and reads the reply where the caller runs. Inlined, for each asynchronous function on the way costs a frame and a switch.
  @inline(__always)
  nonisolated(nonsending) func result<Result: ValueDecodable>(
    of call: CopiedCall, within timeout: Duration?
  ) async throws -> Result {
    let reply = try await reply(to: call, within: timeout)
    return try options.translators.use {
      try Result(converting: reply.value(limits: options.limits, errors: options.errors))
    }
  }

  @inline(__always)
  private nonisolated(nonsending) func reply(to call: CopiedCall, within timeout: Duration?) async throws -> Reply {
    try Task.checkCancellation()
    // Safe: the task fills it in before it hands it over, and then it is used on the reactor's thread only.
    nonisolated(unsafe) let awaited = AwaitedReply(
      call, within: min(timeout ?? Self.century, Self.century), options.limits)
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        awaited.continuation = continuation
        handOver(awaited)
      }
    } onCancel: {
      reactor.submit { self.assumeIsolated { $0.cancel(awaited) } }
    }
  }

  /// The reactor is woken once for all calls that come until it looks.
  private nonisolated func handOver(_ awaited: AwaitedReply) {
    let isFirst = outbox.append(awaited)
    if reactor.isCurrent {
      assumeIsolated { $0.beginCalls() }
    } else if isFirst {
      reactor.submit { self.assumeIsolated { $0.beginCalls() } }
    }
  }

  private func beginCalls() {
    outbox.take(into: &beginning)
    for awaited in beginning { begin(awaited) }
    beginning.removeAll(keepingCapacity: true)
  }

  private func begin(_ awaited: AwaitedReply) {
    awaited.hasBegun = true
    guard !awaited.isCancelled else { return awaited.ended(by: CancellationError()) }
    do throws(CallFailure) {
      let engine = try requireEngine()
      let sending = awaited.call.lend { call in
        Result { () throws(CallFailure) in try engine.call(call, timeout: awaited.timeout, replyTo: awaited) }
      }
      awaited.number = try sending.get()
    } catch {
      awaited.failed(error)
    }
  }

  private func cancel(_ awaited: AwaitedReply) {
    awaited.isCancelled = true
    guard awaited.hasBegun, let continuation = awaited.continuation.take() else { return }
    if let number = awaited.number { engine?.cancel(number) }
    continuation.resume(throwing: CancellationError())
  }

  // MARK: Endpoints

  var bindings: [Endpoint] { get throws { try requireEngine().balancer.bindings } }
  var connectedEndpoints: Int { get throws { try requireEngine().connectedEndpoints } }

  @discardableResult
  func bind(_ endpoint: Endpoint) async throws -> Endpoint {
    let address = try await endpoint.bindAddress(ipv6: options.connections.socket.ipv6)
    let balancer = try requireEngine().balancer
    try balancer.bind([address])
    return balancer.bindings.last ?? address.endpoint
  }

  func connect(_ endpoint: Endpoint) throws { try requireEngine().balancer.connect(endpoint, weight: 1) }

  func unbind(_ endpoint: Endpoint) throws { try leave(endpoint, "unbind") }

  func disconnect(_ endpoint: Endpoint) throws { try leave(endpoint, "disconnect") }

  private func leave(_ endpoint: Endpoint, _ call: String) throws {
    guard try requireEngine().balancer.leave(endpoint) else {
      throw ZMQError(code: .notFound, call: "\(call) \(endpoint), which the client does not have")
    }
  }

  // MARK: Its life

  var counters: CallEngine.Counters { engine?.counters ?? .init() }
  var callsUnderWay: Int { engine?.callsUnderWay ?? 0 }

  func requireOpen() throws(CallFailure) { _ = try requireEngine() }

  private func requireEngine() throws(CallFailure) -> CallEngine {
    guard let engine else { throw CallFailure(.closed, sent: false) }
    return engine
  }

  func close() { end() }

  func waitClosed() async {
    await withCheckedContinuation { if engine == nil { $0.resume() } else { waiting.append($0) } }
  }

  private func end() {
    engine.take()?.close()
    for waiter in waiting { waiter.resume() }
    waiting = []
  }
}
