public import MessagePack
public import Reactor
public import ZeroMQ

/// Calls methods of workers without waiting for results, over a PUSH socket. Each call goes to one worker.
///
/// ```swift
/// let jobs = try await PipelineClient.connect(["tcp://worker:5556"])
/// try await jobs.notify.images.resize("a.png", width: 640)
/// ```
///
/// A call returns as soon as libzmq has it for a worker that is connected; until then it waits. What a worker does with it, nobody tells. It throws
/// `CallFailure`, `ConversionError`, `TranscodingError` and `CancellationError` as an `RPCClient`'s.
public struct PipelineClient: Sendable {
  private let core: OneWayClientCore
  /// How long a call may wait for a worker; nil for any time.
  public let timeout: Duration?

  /// Begins to connect to each endpoint, and keeps at it; calls are dealt out to the workers in turn. Throws `EndpointError`, and
  /// `ZMQError` where libzmq refuses; nothing is left then.
  public nonisolated(nonsending) static func connect(
    _ endpoints: [some EndpointConvertible], timeout: Duration? = nil, on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout OneWayClientOptions) -> Void = { _ in }
  ) async throws -> PipelineClient {
    var options = OneWayClientOptions()
    configure(&options)
    let core = try await OneWayClientCore.start(
      .pipeline, connect: endpoints, bind: [], options, in: context, on: reactor)
    return PipelineClient(core: core, timeout: timeout)
  }

  /// Binds, for workers that connect; else as `connect`.
  public nonisolated(nonsending) static func bind(
    _ endpoints: [some EndpointConvertible], timeout: Duration? = nil, on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout OneWayClientOptions) -> Void = { _ in }
  ) async throws -> PipelineClient {
    var options = OneWayClientOptions()
    configure(&options)
    let core = try await OneWayClientCore.start(
      .pipeline, connect: [], bind: endpoints, options, in: context, on: reactor)
    return PipelineClient(core: core, timeout: timeout)
  }

  /// The methods of the workers, by their names: `jobs.notify.images.resize("a.png", width: 640)`.
  public var notify: OneWayMethods { OneWayMethods(core, within: timeout) }

  /// Calls a method by its whole name. Arguments by name travel in the order of their names.
  public nonisolated(nonsending) func notify(
    _ name: String, _ arguments: [(any ValueEncodable)?] = [], _ keywords: [String: (any ValueEncodable)?] = [:]
  ) async throws {
    try await core.send(core.packed(name, arguments, Keywords(keywords)), within: timeout)
  }

  /// The same client with another time for its calls; nil for any time.
  public func withTimeout(_ timeout: Duration?) -> PipelineClient { PipelineClient(core: core, timeout: timeout) }

  /// Runs the body with the same client and another time for its calls; nil for any time.
  public nonisolated(nonsending) func withTimeout<Result>(
    _ timeout: Duration?, _ body: (PipelineClient) async throws -> Result
  ) async rethrows -> Result {
    try await body(withTimeout(timeout))
  }

  /// Its endpoints, which come and go through it. Throws `CallFailure` when the client is closed.
  public var transport: ClientTransport {
    get async throws {
      try await core.requireOpen()
      return ClientTransport(core)
    }
  }

  /// Calls that wait for a worker.
  public var waitingCalls: Int { get async { await core.waitingCalls } }

  /// Closes: calls that wait throw `closed`; those that libzmq has get `OneWayClientOptions.linger` to leave. A second call does nothing.
  public func close() async { await core.close() }

  /// Returns when the client is closed.
  public func waitClosed() async { await core.waitClosed() }
}
