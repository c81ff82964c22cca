import DequeModule
import MessagePack
import Reactor
import ZeroMQ

/// What the copies of a pipeline or publishing client share: a socket on its reactor, and the calls that wait for a worker.
actor OneWayClientCore: ClientCore {
  nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private nonisolated let packer: Packer
  private nonisolated let pattern: OneWayClient.Pattern
  private nonisolated let options: OneWayClientOptions
  private nonisolated let memory: MemoryBudget
  private var client: OneWayClient?
  /// Those that wait, in their order, and some that have ended.
  private var calls: Deque<WaitingCall> = []
  /// How many of them wait.
  private(set) var waitingCalls = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private init(_ pattern: OneWayClient.Pattern, _ options: OneWayClientOptions, on reactor: Reactor) {
    self.pattern = pattern
    self.options = options
    self.reactor = reactor
    memory = MemoryBudget(limit: options.bytes)
    packer = Packer(limits: options.limits, allowsAnyKeys: options.allowsAnyKeys)
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  isolated deinit { end() }

  /// Starts one. When it throws, nothing is left of it.
  static func start(
    _ pattern: OneWayClient.Pattern, connect: [any EndpointConvertible], bind: [any EndpointConvertible],
    _ options: OneWayClientOptions, in context: Context, on reactor: Reactor
  ) async throws -> OneWayClientCore {
    let core = OneWayClientCore(pattern, options, on: reactor)
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
    let client = try OneWayClient(
      pattern, memory: memory, linger: options.linger, watchesSubscribers: pattern == .publish,
      security: options.security, in: context, on: reactor.loop, logger: options.logger)
    client.whenReady = { [weak self] in self?.assumeIsolated { $0.sendWaiting() } }
    self.client = client
  }

  // MARK: Calls

  /// A call as it travels.
  nonisolated func packed(
    topic: [UInt8]? = nil, _ name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) throws -> CopiedCall {
    try options.translators.use { try packer.pack(topic: topic, name, arguments, keywords) }
  }

  /// One that is written out.
  nonisolated func packed(
    topic: [UInt8]?, _ name: String, _ arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) throws -> CopiedCall {
    try options.translators.use { try packer.pack(topic: topic, name, arguments) }
  }

  /// Hands a call to libzmq, waiting for a peer that has room. To publish never waits, and never fails for want of a peer.
  func send(_ call: CopiedCall, within timeout: Duration?) async throws {
    try Task.checkCancellation()
    guard let failure = try offer(call) else { return }
    if pattern == .publish, failure.code == .noBackend { return }
    guard pattern == .pipeline, !options.failFast, [.noBackend, .queueFull].contains(failure.code) else {
      throw failure
    }
    guard memory.hasRoom(for: call.count) else { throw CallFailure(.memoryFull, sent: false) }
    guard waitingCalls < options.waitingCalls else { throw CallFailure(.queueFull, sent: false) }
    try await wait(with: call, timeout)
  }

  /// Nil when libzmq has it. While calls wait, it has no room for others.
  private func offer(_ call: CopiedCall) throws(CallFailure) -> CallFailure? {
    let client = try requireClient()
    guard waitingCalls == 0 else { return CallFailure(.queueFull, sent: false) }
    return call.lend { call -> CallFailure? in
      do throws(CallFailure) { try client.send(call) } catch { return error }
      return nil
    }
  }

  private func wait(with call: CopiedCall, _ timeout: Duration?) async throws {
    // Safe: it is made and used on the reactor's thread only.
    nonisolated(unsafe) let waiting = WaitingCall(call, memory: memory, on: reactor.loop)
    waitingCalls += 1
    defer {
      waitingCalls -= 1
      // Those that ended without being sent are taken out once they are half of all.
      if calls.count > 2 * waitingCalls { calls.removeAll(where: \.hasEnded) }
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        waiting.begin(continuation, within: timeout)
        // The actor may have been left on the way here, and the client been closed.
        guard client != nil else { return waiting.end(throwing: CallFailure(.closed, sent: false)) }
        calls.append(waiting)
        // A peer may have come since the call was refused.
        sendWaiting()
      }
    } onCancel: {
      reactor.submit { self.assumeIsolated { _ in waiting.cancel() } }
    }
  }

  /// Hands waiting calls over in their order, as long as there is room.
  private func sendWaiting() {
    while let first = calls.first, let client {
      if !first.hasEnded {
        guard first.send(to: client) else { return }
      }
      calls.removeFirst()
    }
  }

  /// Returns when somebody has subscribed to the topic.
  func waitForSubscriber(of topic: [UInt8], within limit: Duration?) async throws {
    try await requireClient().inner.waitForSubscriber(of: topic, within: limit, on: reactor.loop)
  }

  // MARK: Endpoints

  var bindings: [Endpoint] { get throws { try requireClient().bindings } }
  var connectedEndpoints: Int {
    get throws {
      let client = try requireClient()
      return client.inner.connectedEndpoints + client.inner.visitedBindings
    }
  }

  @discardableResult
  func bind(_ endpoint: Endpoint) async throws -> Endpoint {
    let address = try await endpoint.bindAddress(ipv6: requireClient().inner.option(.ipv6))
    return try requireClient().bind(address)
  }

  func connect(_ endpoint: Endpoint) throws { try requireClient().inner.connect(endpoint) }

  func unbind(_ endpoint: Endpoint) throws { try requireClient().inner.unbind(endpoint) }

  func disconnect(_ endpoint: Endpoint) throws { try requireClient().inner.disconnect(endpoint) }

  // MARK: Its life

  func requireOpen() throws(CallFailure) { _ = try requireClient() }

  private func requireClient() throws(CallFailure) -> OneWayClient {
    guard let client else { throw CallFailure(.closed, sent: false) }
    return client
  }

  func close() { end() }

  func waitClosed() async {
    await withCheckedContinuation { if client == nil { $0.resume() } else { waiting.append($0) } }
  }

  private func end() {
    client.take()?.close()
    for call in calls { call.end(throwing: CallFailure(.closed, sent: false)) }
    calls = []
    for waiter in waiting { waiter.resume() }
    waiting = []
  }
}
