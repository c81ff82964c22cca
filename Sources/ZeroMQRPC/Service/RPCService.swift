public import Logging
import MessagePack
public import Reactor
public import ZeroMQ

/// Serves methods to aiozmq clients in one of the three patterns. It lives on a reactor; methods run elsewhere.
///
/// Keep it as long as it shall serve. When the last reference goes, its socket closes with the next message; `close()` ends it
/// at once.
///
/// ```swift
/// let service = try await RPCService.start(.rpc, methods, bind: ["tcp://127.0.0.1:5555"], in: context, on: reactor)
/// ```
public actor RPCService {
  /// How methods are called.
  public enum Pattern: Sendable, Hashable {
    /// ROUTER: each call gets a reply.
    case rpc
    /// PULL: calls without replies.
    case pipeline
    /// SUB: calls without replies on the topics with these prefixes.
    case pubsub([String])
  }

  /// What has happened since the start.
  public struct Counters: Sendable, Hashable {
    /// Messages that could not be unpacked. Those that name their caller were answered.
    public var malformed = 0
    /// Replies that were dropped: their clients were gone, or did not read for too long.
    public var undeliverable = 0
    /// Replies that wait at the moment, because their clients do not read.
    public var waitingReplies = 0
  }

  /// Where it listens, wildcards resolved.
  public private(set) var endpoints: [String] = []
  public nonisolated let unownedExecutor: UnownedSerialExecutor
  private let reactor: Reactor
  private let methods: MethodTable
  private let logger: Logger
  private let logsExceptions: Bool
  private var socket: ServiceSocket?
  private var running: [UInt64: Task<Void, Never>] = [:]
  private var lastTask: UInt64 = 0

  /// What has happened since the start; nothing after `close()`.
  public var counters: Counters { socket?.counters ?? Counters() }

  /// Calls that run.
  public var callsUnderWay: Int { running.count }

  private init(_ methods: MethodTable, on reactor: Reactor, logger: Logger, logsExceptions: Bool) {
    self.methods = methods
    self.reactor = reactor
    self.logger = logger
    self.logsExceptions = logsExceptions
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  /// Binds and serves until `close()`. At most `concurrency` calls run at a time; while that many do, the rest waits in libzmq,
  /// up to its high-water mark for each client. Calls begin in the order in which they came but overtake each other while they
  /// run; with a `concurrency` of 1, each begins when the one before has ended.
  ///
  /// Replies to a client that does not read wait for it, up to 1,000 for each client and 64 MiB for all; what comes beyond is
  /// dropped, counted and logged.
  public static func start(
    _ pattern: Pattern, _ methods: MethodTable, bind endpoints: [String], concurrency: Int = 1_000,
    logsExceptions: Bool = false, logger: Logger = Logger(label: "zmq.rpc"), in context: Context, on reactor: Reactor
  ) async throws -> RPCService {
    precondition(concurrency > 0, "a service that runs no call at a time never runs one")
    let service = RPCService(methods, on: reactor, logger: logger, logsExceptions: logsExceptions)
    try await service.open(pattern, endpoints, concurrency, context)
    return service
  }

  private func open(_ pattern: Pattern, _ bind: [String], _ concurrency: Int, _ context: Context) throws {
    let socket = try ServiceSocket(
      pattern, concurrency: concurrency, logger: logger, in: context, on: reactor.loop, service: self)
    for endpoint in bind { endpoints.append(try socket.bind(endpoint)) }
    self.socket = socket
  }

  /// Stops serving: methods that run are cancelled and answer nobody. A second call does nothing.
  public func close() {
    for task in running.values { task.cancel() }
    running = [:]
    socket?.close()
    socket = nil
  }

  /// Runs one call; `reply` names the client that waits for the answer.
  func run(_ call: IncomingCall) {
    lastTask += 1
    let number = lastTask
    let (methods, logger, logsExceptions) = (methods, logger, logsExceptions)
    running[number] = Task {
      var outcome: Result<Value, RemoteException>
      do {
        outcome = .success(try await methods.call(call.method, call.arguments, call.keywords))
      } catch {
        let error = RemoteException(wrapping: error)
        if logsExceptions || (call.reply == nil && error.isAboutTheCall) {
          logger.error("a call raised", metadata: ["method": "\(call.method)", "error": "\(error)"])
        }
        outcome = .failure(error)
      }
      if call.reply == nil, case .success(let value) = outcome, value != .nil {
        logger.warning("a one-way method returned a value", metadata: ["method": "\(call.method)"])
      }
      if !Task.isCancelled { self.finish(number, call, outcome) }
    }
  }

  private func finish(_ number: UInt64, _ call: IncomingCall, _ outcome: Result<Value, RemoteException>) {
    running[number] = nil
    if let reply = call.reply { socket?.send(outcome, to: reply) }
    socket?.finished()
  }
}
