import Logging
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// A request-reply service as a shard reaches it.
final class RPCUpstream {
  /// Who makes its calls.
  private enum Caller {
    /// An engine of this shard's.
    case engine(CallEngine)
    /// Backends connect to the gateway, and another shard has the socket.
    case distant(DistantSocket)
  }

  private let caller: Caller
  /// That of the service.
  private let name: String
  /// What other shards ask; nil where each has an engine of its own, and where another one has the socket.
  let visitingCalls: VisitingCalls?
  let policy: MethodPolicy
  /// Nil when the configuration declares none.
  private let declared: DeclaredMethods?
  let reader: JSONToMessagePack
  let replies: ReplyReader
  /// Whether calls to safe methods may be sent twice.
  private let repeats: Bool
  private let shared: SharedService
  /// How many calls a JSON-RPC document may have.
  let longestBatch: Int
  /// What clients make the gateway keep for the service counts here.
  let memory: MemoryBudget
  let loop: Loop
  /// Calls that requests share.
  let sharedCalls: SharedCalls
  /// Calls that are watched.
  let watches: Watches
  /// REST routes that lead here.
  let routes: [Configuration.Route]
  /// How requests of one call have ended.
  @exclusivity(unchecked) private(set) var methodCounters: MethodCounters
  private let transcoding: BackgroundQueue
  /// What its engine is told.
  private let options: RPCOptions
  private let usual: CallSettings
  /// Nil when all methods are as usual.
  private let special: SettingsByName?
  private var known: [MethodName: CallSettings] = [:]
  /// How many methods are known. Callers make names up, so there may be any number of them.
  private static let mostKnown = 1_000

  /// Opens its sockets. `distant` is the socket where backends connect to the gateway and another shard is the service's home.
  convenience init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration, shared: SharedService,
    distant: DistantSocket?, context: Context, loop: Loop, logger: Logger
  ) throws {
    let (caller, visitingCalls): (Caller, VisitingCalls?)
    if let distant {
      (caller, visitingCalls) = (.distant(distant), nil)
    } else {
      let engine = try CallEngine(
        connect: rpc.connect, bind: rpc.bind, weights: rpc.weights, inFlight: shared.inFlight, waiting: shared.waiting,
        memory: shared.memory, openBreakers: shared.openBreakers, states: shared.outgoing,
        options: rpc.options(longestShortReply: configuration.http.limits.inline, service.security), in: context,
        on: loop,
        logger: logger)
      (caller, visitingCalls) = (
        .engine(engine), rpc.bind.isEmpty ? nil : VisitingCalls(shared, at: engine, on: loop)
      )
    }
    self.init(
      service, rpc, in: configuration, shared: shared, caller: caller, visitingCalls: visitingCalls, loop: loop)
  }

  /// The same sockets with other settings for callers: calls that requests share stay with the former one, and so do those that are watched,
  /// unless it `keepsWatches`.
  convenience init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration,
    insteadOf former: RPCUpstream, keepsWatches: Bool
  ) {
    self.init(
      service, rpc, in: configuration, shared: former.shared, caller: former.caller,
      visitingCalls: former.visitingCalls, counted: former.sharedCalls.counters,
      watches: keepsWatches ? former.watches : Watches(rpc.watch), loop: former.loop)
    methodCounters.add(former.methodCounters)
  }

  private init(
    _ service: Configuration.Service, _ rpc: Configuration.RPC, in configuration: Configuration, shared: SharedService,
    caller: Caller, visitingCalls: VisitingCalls?, counted: SharedCalls.Counters = .init(), watches: Watches? = nil,
    loop: Loop
  ) {
    (self.caller, self.visitingCalls) = (caller, visitingCalls)
    name = service.name
    repeats = rpc.repeats
    options = rpc.options(longestShortReply: configuration.http.limits.inline, service.security)
    self.shared = shared
    policy = MethodPolicy(service.methods)
    declared = DeclaredMethods(service.methods.declared, policy, limits: configuration.http.limits.transcoding)
    usual = CallSettings(timeout: rpc.timeout, maximumTimeout: rpc.maximumTimeout)
    special = service.methods.settings.isEmpty ? nil : SettingsByName(service.methods.settings, in: configuration)
    reader = service.reader(limits: configuration.http.limits.transcoding)
    replies = ReplyReader(
      writer: service.writer(limits: configuration.http.limits.transcoding),
      errors: ErrorMap(rpc.errors.map, configuration.errors.map), special: special,
      exposure: configuration.exposure(rpc.errors))
    transcoding = shared.transcoding
    longestBatch = configuration.http.limits.batch
    memory = shared.memory
    self.loop = loop
    routes = rpc.routes
    methodCounters = MethodCounters(service.methods)
    sharedCalls = SharedCalls(results: rpc.keepResults, bytes: rpc.keepBytes, counted: counted, on: loop)
    self.watches = watches ?? Watches(rpc.watch)
  }

  /// Whether a call of the method may be sent twice.
  private func isRepeatable(_ method: MethodName) -> Bool { repeats && policy.isSafe(method) }

  /// What holds for calls of the method.
  func settings(of method: MethodName) -> CallSettings {
    guard let special else { return usual }
    if let settings = known[method] { return settings }
    if known.count >= Self.mostKnown { known = [:] }
    let settings = CallSettings(
      timeout: special.first(for: method.text, \.timeout) ?? usual.timeout,
      maximumTimeout: special.first(for: method.text, \.maximumTimeout) ?? usual.maximumTimeout,
      coalesces: special.first(for: method.text, \.coalesce) ?? false,
      keep: special.first(for: method.text, \.keep), cost: special.first(for: method.text, \.cost) ?? 1,
      priority: special.first(for: method.text, \.priority) ?? .normal)
    known[method] = settings
    return settings
  }

  /// Adds who calls to the keywords in the buffer, where the method is told.
  func tell(
    _ method: MethodName, of request: GatewayRequest, asking timeout: Duration?, in frames: inout CallFrames,
    _ buffer: inout ByteBuffer
  ) throws(Problem) {
    // The span of the call begins here, for the method may be told of it.
    let traceparent = request.notes?.trace?.beginCall(
      of: name, method.text, label: methodCounters.label(of: method))
    guard policy.takesContext(method) else { return }
    try CallerContext(request, traceparent: traceparent).add(
      to: &frames, in: &buffer, time: settings(of: method).timeout(asked: timeout))
  }

  /// Counts a request of one call that has ended.
  func count(_ method: MethodName, _ outcome: RequestOutcome) { methodCounters.count(method, outcome) }

  /// The method of that name, if callers reach it.
  func method(_ name: String) throws(Problem) -> MethodName { try policy.method(name) }

  /// Hands a call to the engine; its arguments lie in the buffer, and `timeout` is what the caller asks for, if it does. Returns its
  /// number there, to cancel it by. Throws what is known at once, and the handler then hears nothing.
  func call(
    _ method: MethodName, _ frames: CallFrames, in buffer: borrowing ByteBuffer, asking timeout: Duration?,
    replyTo handler: any ReplyHandler
  ) throws(Problem) -> UInt32 {
    try declared?.check(method, frames, in: buffer)
    let settings = settings(of: method)
    let (timeout, priority) = (settings.timeout(asked: timeout), settings.priority)
    let isRepeatable = isRepeatable(method)
    do throws(CallFailure) {
      return try frames.withFrames(in: buffer) { arguments, keywords throws(CallFailure) in
        try method.text.utf8.span.withUnsafeBytes { method throws(CallFailure) in
          let call = BorrowedCall(method: method, arguments: arguments, keywords: keywords)
          switch caller {
          case .engine(let engine):
            return try engine.call(
              call, timeout: timeout, isRepeatable: isRepeatable, priority: priority, replyTo: handler)
          case .distant(let socket):
            return try socket.call(
              call, timeout: timeout, isRepeatable: isRepeatable, priority: priority, replyTo: handler)
          }
        }
      }
    } catch {
      throw Problem(error)
    }
  }

  /// Forgets a call: its handler hears no more, and its place is free again. The backend cannot be told.
  func cancel(_ number: UInt32) {
    switch caller {
    case .engine(let engine): engine.cancel(number)
    case .distant(let socket): socket.cancel(number)
    }
  }

  /// Ends a call now, as if its deadline had passed. True when its handler has been told before this returns; false when it is in a later
  /// turn.
  func expire(_ number: UInt32) -> Bool {
    switch caller {
    case .engine(let engine):
      engine.expire(number)
      return true
    case .distant(let socket):
      socket.expire(number)
      return false
    }
  }

  /// Whether a backend may have the call.
  func isSent(_ number: UInt32) -> Bool {
    switch caller {
    case .engine(let engine): engine.isSent(number)
    // That is known elsewhere.
    case .distant: true
    }
  }

  /// What nineteen of twenty replies of the method have not exceeded of late, for the handler of a call that has just timed out.
  func percentile95(of method: MethodName) -> Duration? {
    switch caller {
    case .engine(let engine): engine.percentile95(of: method.text)
    case .distant(let socket): socket.percentile95
    }
  }

  /// How long the call took whose reply a handler is being told of.
  var replyTimes: ReplyTimes? {
    switch caller {
    case .engine(let engine): engine.currentReply.times(at: loop.now)
    case .distant(let socket): socket.replyTimes
    }
  }

  /// What has happened to calls since the start; nil where another shard counts.
  var counters: CallEngine.Counters? { if case .engine(let engine) = caller { engine.counters } else { nil } }

  /// Whether no call is under way on this shard.
  var isIdle: Bool {
    switch caller {
    case .engine(let engine): engine.callsUnderWay == 0
    case .distant(let socket): socket.isIdle
    }
  }

  /// Whether each endpoint has a connection, or somebody has connected.
  var isConnected: Bool {
    switch caller {
    case .engine(let engine): engine.isConnected
    case .distant: isReady
    }
  }

  /// Whether there is a backend to call.
  var isReady: Bool {
    switch caller {
    case .engine(let engine): engine.connectedEndpoints > 0
    case .distant: shared.outgoing?.isUp == true
    }
  }

  /// Begins to connect to those backends that are new. Throws when an endpoint cannot be used.
  func connect(_ rpc: Configuration.RPC) throws(ZMQError) {
    if case .engine(let engine) = caller { try engine.connect(rpc.connect, weights: rpc.weights) }
  }

  /// Calls those backends only from now on, and as its options say.
  func settle(_ rpc: Configuration.RPC) {
    guard case .engine(let engine) = caller else { return }
    engine.use(options)
    engine.disconnect(allBut: rpc.connect, weights: rpc.weights)
  }

  /// Ends what is under way, and closes the sockets.
  func close() {
    switch caller {
    case .engine(let engine): engine.close()
    case .distant(let socket): socket.close()
    }
  }

  /// Does work on the thread beside the shards. Its result may be submitted to the reactor it is given.
  func beside(_ work: @escaping @Sendable (Reactor) -> Void) {
    transcoding.add { [reactor = loop.reactor] in
      if let reactor { work(reactor) }
    }
  }
}
