public import MessagePack
public import Reactor
public import ZeroMQ

/// Calls methods of services, aiozmq's and those of this module, over DEALER sockets.
///
/// ```swift
/// let client = try await RPCClient.connect(["tcp://127.0.0.1:5555"], timeout: .seconds(2))
/// let sum: Int = try await client.call.math.add(1, b: 2)
/// let same: Int = try await client.call("math.add", [1], ["b": 2])
/// ```
///
/// A call throws what the service raised (`RemoteError`, or what `RPCClientOptions.errors` makes of it); `CallFailure` when there is no
/// reply, with whether it may have run; `ConversionError` when an argument cannot be sent or the result is not of the type that is
/// wanted, `TranscodingError` when an argument is beyond the limits; and `CancellationError` when its task is cancelled, which frees its
/// place at once.
///
/// A client is a value: copies share its connections. They close when the last copy is gone.
public struct RPCClient: Sendable {
  private let core: RPCClientCore
  /// How long a call may take, waiting included; nil for any time.
  public let timeout: Duration?

  /// Begins to connect to each endpoint, and keeps at it; calls are spread over those that are connected. Throws `EndpointError`, and
  /// `ZMQError` where libzmq refuses; nothing is left then.
  public nonisolated(nonsending) static func connect(
    _ endpoints: [some EndpointConvertible], timeout: Duration? = nil, on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout RPCClientOptions) -> Void = { _ in }
  ) async throws -> RPCClient {
    var options = RPCClientOptions()
    configure(&options)
    let core = try await RPCClientCore.start(connect: endpoints, bind: [], options, in: context, on: reactor)
    return RPCClient(core: core, timeout: timeout)
  }

  /// Binds, for services that connect; else as `connect`.
  public nonisolated(nonsending) static func bind(
    _ endpoints: [some EndpointConvertible], timeout: Duration? = nil, on reactor: Reactor = .shared,
    in context: Context = .shared, _ configure: (inout RPCClientOptions) -> Void = { _ in }
  ) async throws -> RPCClient {
    var options = RPCClientOptions()
    configure(&options)
    let core = try await RPCClientCore.start(connect: [], bind: endpoints, options, in: context, on: reactor)
    return RPCClient(core: core, timeout: timeout)
  }

  // MARK: Calls

  /// The methods of the services, by their names: `client.call.math.add(1, b: 2)`.
  public var call: RemoteMethods { RemoteMethods(self) }

  /// Calls a method by its whole name. Arguments by name travel in the order of their names.
  public nonisolated(nonsending) func call<Result: ValueDecodable>(
    _ name: String, _ arguments: [(any ValueEncodable)?] = [], _ keywords: [String: (any ValueEncodable)?] = [:]
  ) async throws -> Result {
    try await result(of: name, arguments, Keywords(keywords))
  }

  /// Calls a method by its whole name. Arguments by name travel in the order of their names.
  @discardableResult
  public nonisolated(nonsending) func call(
    _ name: String, _ arguments: [(any ValueEncodable)?] = [], _ keywords: [String: (any ValueEncodable)?] = [:]
  ) async throws -> Value {
    try await result(of: name, arguments, Keywords(keywords))
  }

  @inline(__always)
  nonisolated(nonsending) func result<Result: ValueDecodable>(
    of name: String, _ arguments: [(any ValueEncodable)?], _ keywords: Keywords
  ) async throws -> Result {
    try await core.result(of: core.packed(name, arguments, keywords), within: timeout)
  }

  @inline(__always)
  nonisolated(nonsending) func result<Result: ValueDecodable>(
    of name: String, _ arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) async throws -> Result {
    try await core.result(of: core.packed(name, arguments), within: timeout)
  }

  /// The same client with another time for its calls; nil for any time.
  public func withTimeout(_ timeout: Duration?) -> RPCClient { RPCClient(core: core, timeout: timeout) }

  /// Runs the body with the same client and another time for its calls; nil for any time. Each call has that time for itself.
  public nonisolated(nonsending) func withTimeout<Result>(
    _ timeout: Duration?, _ body: (RPCClient) async throws -> Result
  ) async rethrows -> Result {
    try await body(withTimeout(timeout))
  }

  // MARK: Its life

  /// Its endpoints, which come and go through it. Throws `CallFailure` when the client is closed.
  public var transport: ClientTransport {
    get async throws {
      try await core.requireOpen()
      return ClientTransport(core)
    }
  }

  /// What has happened, late replies too; nothing after the end.
  public var counters: CallEngine.Counters { get async { await core.counters } }

  /// Calls that wait or are sent.
  public var callsUnderWay: Int { get async { await core.callsUnderWay } }

  /// Closes: calls under way throw `closed`, as do those that follow. Copies are closed with it. A second call does nothing.
  public func close() async { await core.close() }

  /// Returns when the client is closed.
  public func waitClosed() async { await core.waitClosed() }
}
