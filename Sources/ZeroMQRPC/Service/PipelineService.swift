public import Reactor
public import ZeroMQ

/// Runs methods for clients that wait for nothing, aiozmq's and those of this module, over a PULL socket. It is kept, closed and run as
/// an `RPCService`.
///
/// Nobody is told of errors, so a method that is not there, arguments that do not fit and results other than nil are logged.
public struct PipelineService: Sendable {
  private let core: ServiceCore

  /// Binds, connects, and serves. Throws as `RPCService.start`.
  public nonisolated(nonsending) static func start<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ handler: some Handler, bind: [Bind] = [String](), connect: [Connect] = [String](), on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout ServiceOptions) -> Void = { _ in }
  ) async throws -> PipelineService {
    var options = ServiceOptions()
    configure(&options)
    return PipelineService(
      core: try await ServiceCore.start(
        handler, .pipeline, bind: bind, connect: connect, options, in: context, on: reactor))
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

  /// Closes: no more calls are taken; methods that run have `ServiceOptions.grace` to end, and are cancelled then. It does not
  /// wait for that; a second call does nothing.
  public func close() async { await core.close() }

  /// Returns when the service is closed.
  public func waitClosed() async { await core.waitClosed() }
}
