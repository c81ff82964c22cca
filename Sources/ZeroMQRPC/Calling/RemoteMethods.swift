public import MessagePack

/// The methods of the services that a client calls, by their names. What the services have, nobody knows here: any name will do.
///
/// It has members, and cannot be called itself: `client.call("math.add", [1])` is the client's own method.
@dynamicMemberLookup
public struct RemoteMethods: Sendable {
  private let client: RPCClient

  init(_ client: RPCClient) { self.client = client }

  /// The method or the namespace of that name.
  public subscript(dynamicMember name: String) -> RemoteMethod { RemoteMethod(name, client) }
}

/// A method of a service, to be called; or a namespace, which has members of its own.
@dynamicMemberLookup @dynamicCallable
public struct RemoteMethod: Sendable {
  private let name: String
  private let client: RPCClient

  fileprivate init(_ name: String, _ client: RPCClient) {
    self.name = name
    self.client = client
  }

  /// The method or the namespace of that name in this one.
  public subscript(dynamicMember name: String) -> RemoteMethod { RemoteMethod("\(self.name).\(name)", client) }

  /// Calls it with arguments by position: `add(1, 2)`.
  public nonisolated(nonsending) func dynamicallyCall<Result: ValueDecodable>(
    withArguments arguments: [(any ValueEncodable)?]
  ) async throws -> Result {
    try await client.result(of: name, arguments, .none)
  }

  /// Calls it with arguments by position: `add(1, 2)`.
  @discardableResult
  public nonisolated(nonsending) func dynamicallyCall(
    withArguments arguments: [(any ValueEncodable)?]
  ) async throws -> Value {
    try await client.result(of: name, arguments, .none)
  }

  /// Calls it: `add(1, b: 2)`. What has no name is an argument by position.
  public nonisolated(nonsending) func dynamicallyCall<Result: ValueDecodable>(
    withKeywordArguments arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) async throws -> Result {
    try await client.result(of: name, arguments)
  }

  /// Calls it: `add(1, b: 2)`. What has no name is an argument by position.
  @discardableResult
  public nonisolated(nonsending) func dynamicallyCall(
    withKeywordArguments arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) async throws -> Value {
    try await client.result(of: name, arguments)
  }
}
