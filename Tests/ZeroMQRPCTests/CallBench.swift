import Reactor
import Support
import ZeroMQ

@testable import ZeroMQRPC

/// An `CallEngine` on a reactor of its own, for backends that the test plays.
actor CallBench {
  enum Outcome: Sendable, Hashable {
    case result([UInt8])
    case exception([UInt8])
    /// A result that was handed over to keep.
    case long([UInt8])
    case failed(CallFailure)
  }

  nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private var client: CallEngine?
  private(set) var context: Context?

  /// Runs the body with backends and a client connected to all of them, over ipc or over inproc.
  static func with(
    backends count: Int = 1, weights: [Int] = [], options: RPCOptions = .init(), backend: SocketOptions = .init(),
    limit: Int = 10_000, waiting: Int? = nil, inproc: Bool = false,
    _ body: (CallBench, [WireSocket]) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectory()
    let context = try Context()
    let endpoints = try (0..<count).map { try Endpoint(inproc ? "inproc://\($0)" : directory.endpoint("\($0)")) }
    try await Cleanup.with { cleanup in
      var backends: [WireSocket] = []
      for endpoint in endpoints {
        let socket = try await WireSocket(.router, bind: endpoint.description, options: backend, in: context)
        cleanup.add { await socket.close() }
        backends.append(socket)
      }
      let bench = try CallBench()
      cleanup.add { await bench.shutDown() }
      try await bench.open(
        endpoints, Dictionary(uniqueKeysWithValues: zip(endpoints, weights)), options, limit, waiting, context)
      try await eventually("all are connected") { await bench.connectedEndpoints == count }
      try await body(bench, backends)
    }
  }

  /// Runs the body with a client of those endpoints, connected or not.
  static func with(
    connect endpoints: [Endpoint], options: RPCOptions, in context: Context, _ body: (CallBench) async throws -> Void
  ) async throws {
    try await Cleanup.with { cleanup in
      let bench = try CallBench()
      cleanup.add { await bench.shutDown() }
      try await bench.open(endpoints, [:], options, 10_000, nil, context)
      try await body(bench)
    }
  }

  /// Runs the body with a client that is bound there, for backends that connect.
  static func with(
    bind endpoints: [Endpoint], options: RPCOptions = .init(), waiting: Int? = nil, in context: Context,
    _ body: (CallBench) async throws -> Void
  ) async throws {
    try await Cleanup.with { cleanup in
      let bench = try CallBench()
      cleanup.add { await bench.shutDown() }
      try await bench.bind(endpoints, options, waiting, context)
      try await body(bench)
    }
  }

  private func bind(_ endpoints: [Endpoint], _ options: RPCOptions, _ waiting: Int?, _ context: Context) throws {
    self.context = context
    client = try CallEngine(
      bind: endpoints, inFlight: SharedLimit(limit: 10_000), waiting: waiting.map(SharedLimit.init), options: options,
      in: context, on: reactor.loop)
  }

  private init() throws {
    reactor = try Reactor(name: "client")
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  private func open(
    _ endpoints: [Endpoint], _ weights: [Endpoint: Int], _ options: RPCOptions, _ limit: Int, _ waiting: Int?,
    _ context: Context
  ) throws {
    self.context = context
    client = try CallEngine(
      connect: endpoints, weights: weights, inFlight: SharedLimit(limit: limit), waiting: waiting.map(SharedLimit.init),
      options: options, in: context, on: reactor.loop)
  }

  var connectedEndpoints: Int { client?.connectedEndpoints ?? 0 }
  var isConnected: Bool { client?.isConnected ?? false }
  var callsUnderWay: Int { client?.callsUnderWay ?? 0 }
  var counters: CallEngine.Counters { client?.counters ?? .init() }

  /// Makes a call; what becomes of it is told by the returned task.
  func call(
    _ method: String = "m", _ arguments: [UInt8] = [0x90], within timeout: Duration = .seconds(20),
    isRepeatable: Bool = false, priority: CallPriority = .normal
  ) -> Reply {
    let reply = Reply()
    do {
      guard let client else { throw CallFailure(.closed, sent: false) }
      let name = Array(method.utf8)
      reply.number = try name.withUnsafeBytes { name in
        try arguments.withUnsafeBytes { arguments in
          try [UInt8(0x80)].withUnsafeBytes { keywords in
            try client.call(
              BorrowedCall(method: name, arguments: arguments, keywords: keywords), timeout: timeout,
              isRepeatable: isRepeatable, priority: priority, replyTo: reply)
          }
        }
      }
    } catch { if let failure = error as? CallFailure { reply.finish(.failed(failure)) } }
    return reply
  }

  func percentile95(of method: String) -> Duration? { client?.percentile95(of: method) }
  func cancel(_ reply: Reply) { client?.cancel(reply.number) }
  func close() { client?.close() }

  private func closeClient() {
    client?.close()
    client = nil
  }

  private nonisolated func shutDown() async {
    await closeClient()
    await reactor.stop()
  }

  /// What becomes of one call.
  final class Reply: ReplyHandler, @unchecked Sendable {
    // Safe: the number is touched on the client's thread only, the outcome behind its lock.
    fileprivate(set) var number: UInt32 = 0
    private let box = Guarded<Outcome?>(nil)
    private let told = Guarded<Silence?>(nil)

    func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {
      finish(isException ? .exception(Array(body)) : .result(Array(body)))
    }
    func replied(_ reply: LongReply) { finish(.long(reply.body.withUnsafeBytes { Array($0) })) }
    func timedOut(_ silence: Silence) {
      told.withLock { $0 = silence }
      failed(CallFailure(.timeout, sent: true))
    }
    func failed(_ failure: CallFailure) { finish(.failed(failure)) }
    fileprivate func finish(_ outcome: Outcome) { box.withLock { $0 = outcome } }

    /// What was known when its deadline passed.
    var silence: Silence? { told.withLock { $0 } }
    /// The outcome if it is there.
    var now: Outcome? { box.withLock { $0 } }
    /// The outcome, waiting for it.
    var outcome: Outcome { get async throws { try await eventually("an outcome") { now } } }
  }
}
