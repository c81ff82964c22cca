public import Reactor
public import ZeroMQ

/// Runs methods that are called by publishing, by aiozmq's clients and those of this module, over a SUB socket. It is kept, closed and
/// run as an `RPCService`, and logs as a `PipelineService`.
public struct PubSubService: Sendable {
  private let core: ServiceCore

  /// Binds, connects, and hears what is published on topics that begin with one of `subscribe`; "" means all. Throws as
  /// `RPCService.start`.
  public nonisolated(nonsending) static func start<Bind: EndpointConvertible, Connect: EndpointConvertible>(
    _ handler: some Handler, subscribe topics: [String], bind: [Bind] = [String](), connect: [Connect] = [String](),
    on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout ServiceOptions) -> Void = { _ in }
  ) async throws -> PubSubService {
    var options = ServiceOptions()
    configure(&options)
    return PubSubService(
      core: try await ServiceCore.start(
        handler, .pubsub(topics.map { Array($0.utf8) }), bind: bind, connect: connect, options, in: context, on: reactor
      ))
  }

  /// Hears what begins with this too.
  public func subscribe(_ topic: String) async throws { try await subscribe(Array(topic.utf8)) }

  /// Hears what begins with these bytes too.
  public func subscribe(_ topic: [UInt8]) async throws { try await core.withSocket { try $0.subscribe(topic) } }

  /// Takes one subscription to it back.
  public func unsubscribe(_ topic: String) async throws { try await unsubscribe(Array(topic.utf8)) }

  /// Takes one subscription to it back.
  public func unsubscribe(_ topic: [UInt8]) async throws { try await core.withSocket { try $0.unsubscribe(topic) } }

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
