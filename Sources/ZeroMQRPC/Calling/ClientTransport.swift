public import ZeroMQ

/// Where a client is bound and connected, which may change at any time. Each throws `CallFailure` when the client is closed.
public struct ClientTransport: Sendable {
  private let core: any ClientCore

  init(_ core: any ClientCore) { self.core = core }

  /// Where it is bound, wildcards resolved.
  public var bindings: [Endpoint] { get async throws { try await core.bindings } }

  /// How many of its endpoints have a peer.
  public var connectedEndpoints: Int { get async throws { try await core.connectedEndpoints } }

  /// Binds, for peers that connect. Returns the endpoint with wildcards resolved.
  @discardableResult
  public func bind(_ endpoint: some EndpointConvertible) async throws -> Endpoint {
    try await core.bind(endpoint.asEndpoint())
  }

  /// Ends a binding, by what `bind` returned or was given. An `RPCClient` still gets the replies to what was sent there.
  public func unbind(_ endpoint: some EndpointConvertible) async throws { try await core.unbind(endpoint.asEndpoint()) }

  /// Begins to connect, and keeps at it until `disconnect`.
  public func connect(_ endpoint: some EndpointConvertible) async throws {
    try await core.connect(endpoint.asEndpoint())
  }

  /// Ends what `connect` has begun. An `RPCClient` still gets the replies to what was sent there.
  public func disconnect(_ endpoint: some EndpointConvertible) async throws {
    try await core.disconnect(endpoint.asEndpoint())
  }
}

/// What lives on the reactor for a client.
protocol ClientCore: Actor {
  var bindings: [Endpoint] { get throws }
  var connectedEndpoints: Int { get throws }
  @discardableResult func bind(_ endpoint: Endpoint) async throws -> Endpoint
  func unbind(_ endpoint: Endpoint) throws
  func connect(_ endpoint: Endpoint) throws
  func disconnect(_ endpoint: Endpoint) throws
}
