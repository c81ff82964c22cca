public import ZeroMQ

/// The socket of a service that runs: where it is bound and connected, which may change at any time, and its options.
public struct ServiceTransport: Sendable {
  private let core: ServiceCore

  init(_ core: ServiceCore) { self.core = core }

  /// Where it is bound, wildcards resolved.
  public var bindings: [Endpoint] { get async throws { try await core.withSocket { $0.bindings } } }

  /// Binds, and returns the endpoint with wildcards resolved.
  @discardableResult
  public func bind(_ endpoint: some EndpointConvertible) async throws -> Endpoint { try await core.bind(endpoint) }

  /// Closes a binding, by what `bind` returned or was given. Over tcp and ipc the connections that came in there end,
  /// and with them what is still to be sent to them; others can bind there a moment later.
  public func unbind(_ endpoint: some EndpointConvertible) async throws {
    let endpoint = try endpoint.asEndpoint()
    try await core.withSocket { try $0.unbind(endpoint) }
  }

  /// Begins to connect, and keeps at it until `disconnect`.
  public func connect(_ endpoint: some EndpointConvertible) async throws { try await core.connect(endpoint) }

  /// Ends what `connect` has begun.
  public func disconnect(_ endpoint: some EndpointConvertible) async throws {
    let endpoint = try endpoint.asEndpoint()
    try await core.withSocket { try $0.disconnect(endpoint) }
  }

  /// The value of an option.
  public func option<Value: Sendable>(_ option: SocketOption<Value>) async throws -> Value {
    try await core.withSocket { try $0.option(option) }
  }

  /// Sets an option; its comment says when that counts.
  public func set<Value: Sendable>(_ option: SocketOption<Value>, to value: Value) async throws {
    try await core.withSocket { try $0.set(option, to: value) }
  }

  /// What happens to the connections from now on.
  public func monitor() async throws -> Monitor { try await core.withSocket { try $0.monitor() } }
}
