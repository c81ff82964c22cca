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

  private init(_ methods: MethodTable, on reactor: Reactor, logger: Logger, logsExceptions: Bool) {
    self.methods = methods
    self.reactor = reactor
    self.logger = logger
    self.logsExceptions = logsExceptions
    unownedExecutor = reactor.asUnownedSerialExecutor()
  }

  /// Binds and serves until `close()`. At most `concurrency` calls run at a time; while that many do, the rest waits in libzmq,
  /// up to its high-water mark for each client.
  public static func start(
    _ pattern: Pattern, _ methods: MethodTable, bind endpoints: [String], concurrency: Int = 1_000,
    logsExceptions: Bool = false, logger: Logger = Logger(label: "zmq.rpc"), in context: Context, on reactor: Reactor
  ) async throws -> RPCService {
    let service = RPCService(methods, on: reactor, logger: logger, logsExceptions: logsExceptions)
    try await service.open(pattern, endpoints, concurrency, context)
    return service
  }

  private func open(_ pattern: Pattern, _ bind: [String], _ concurrency: Int, _ context: Context) throws {
    let socket = try ServiceSocket(pattern, concurrency: concurrency, in: context, on: reactor.loop, service: self)
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
      var outcome: Result<Value, RemoteError>
      do {
        outcome = .success(try await methods.call(call.method, call.arguments, call.keywords))
      } catch {
        let error = RemoteError(wrapping: error)
        if logsExceptions || (call.reply == nil && error.isAboutTheCall) {
          logger.error("a call raised", metadata: ["method": "\(call.method)", "error": "\(error.repr)"])
        }
        outcome = .failure(error)
      }
      if call.reply == nil, case .success(let value) = outcome, value != .nil {
        logger.warning("a one-way method returned a value", metadata: ["method": "\(call.method)"])
      }
      if !Task.isCancelled { self.finish(number, call, outcome) }
    }
  }

  private func finish(_ number: UInt64, _ call: IncomingCall, _ outcome: Result<Value, RemoteError>) {
    running[number] = nil
    if let reply = call.reply { socket?.send(outcome, to: reply) }
    socket?.finished()
  }
}

/// A call as it came in.
struct IncomingCall: Sendable {
  /// What has to go in front of the answer.
  struct Reply: Sendable {
    let envelope: [[UInt8]]
    let number: UInt32
  }

  let method: String
  let arguments: Value
  let keywords: Value
  /// nil in the one-way patterns.
  let reply: Reply?
}

extension RemoteError {
  /// The caller got the name or the arguments wrong.
  fileprivate var isAboutTheCall: Bool {
    name == "aiozmq.rpc.base.NotFoundError" || name == "aiozmq.rpc.base.ParametersError"
  }
}
