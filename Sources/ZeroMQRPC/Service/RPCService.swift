public import Reactor
public import ZeroMQ

/// Serves methods to clients that wait for results, aiozmq's and those of this module, over a ROUTER socket.
///
/// Keep it as long as it shall serve. When the last copy is gone and no method runs, its socket closes; `close()` ends it in order. It fits swift-service-lifecycle as it is: `extension RPCService: Service {}`.
///
/// ```swift
/// let service = try await RPCService.start(calc, bind: ["tcp://*:5555"]) { $0.timeout = .seconds(5) }
/// try await service.run()
/// ```
public struct RPCService: Sendable {
  private let core: ServiceCore

  /// Binds, connects, and serves. Throws `ServiceError` for methods that could not be called and for options out of their bounds,
  /// `EndpointError`, and `ZMQError` where libzmq refuses; nothing is left then.
  public nonisolated(nonsending) static func start<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ handler: some Handler, bind: [Bind] = [String](), connect: [Connect] = [String](), on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout ServiceOptions) -> Void = { _ in }
  ) async throws -> RPCService {
    var options = ServiceOptions()
    configure(&options)
    return RPCService(
      core: try await ServiceCore.start(
        handler, .rpc, bind: bind, connect: connect, options, in: context, on: reactor))
  }

  /// The socket: endpoints come and go through it. Throws `ServiceError` when the service is closed.
  public var transport: ServiceTransport {
    get async throws {
      try await core.requireOpen()
      return ServiceTransport(core)
    }
  }

  /// What happens, and has happened. It waits for the reactor, and for one that a method holds until that is known to be stuck
  /// (`ServiceOptions.timeout`).
  public var counters: ServiceCounters { get async { await core.counters } }

  /// Serves until `close()`, or until the task is cancelled, which closes the service; returns when it is closed. Throws when libzmq has
  /// ended the socket. It does not have to be called: the service serves from its start.
  public func run() async throws { try await core.run() }

  /// Closes: no more calls are taken; methods that run have `ServiceOptions.grace` to end, and to be answered, and are cancelled then. It does not
  /// wait for that; a second call does nothing.
  public func close() async { await core.close() }

  /// Returns when the service is closed.
  public func waitClosed() async { await core.waitClosed() }
}
