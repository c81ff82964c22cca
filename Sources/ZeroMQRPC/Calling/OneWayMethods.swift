public import MessagePack

/// The methods of workers or subscribers, by their names. It has members, and cannot be called itself.
@dynamicMemberLookup
public struct OneWayMethods: Sendable {
  private let core: OneWayClientCore
  private let topic: [UInt8]?
  private let timeout: Duration?

  init(_ core: OneWayClientCore, topic: [UInt8]? = nil, within timeout: Duration? = nil) {
    self.core = core
    self.topic = topic
    self.timeout = timeout
  }

  /// The method or the namespace of that name.
  public subscript(dynamicMember name: String) -> OneWayMethod { OneWayMethod(name, core, topic, timeout) }
}

/// A method of workers or subscribers, to be called; or a namespace, which has members of its own.
@dynamicMemberLookup @dynamicCallable
public struct OneWayMethod: Sendable {
  private let name: String
  private let core: OneWayClientCore
  private let topic: [UInt8]?
  private let timeout: Duration?

  fileprivate init(_ name: String, _ core: OneWayClientCore, _ topic: [UInt8]?, _ timeout: Duration?) {
    self.name = name
    self.core = core
    self.topic = topic
    self.timeout = timeout
  }

  /// The method or the namespace of that name in this one.
  public subscript(dynamicMember name: String) -> OneWayMethod {
    OneWayMethod("\(self.name).\(name)", core, topic, timeout)
  }

  /// Calls it with arguments by position: `resize("a.png", 640)`.
  public nonisolated(nonsending) func dynamicallyCall(withArguments arguments: [(any ValueEncodable)?]) async throws {
    try await core.send(core.packed(topic: topic, name, arguments, .none), within: timeout)
  }

  /// Calls it: `resize("a.png", width: 640)`. What has no name is an argument by position.
  public nonisolated(nonsending) func dynamicallyCall(
    withKeywordArguments arguments: KeyValuePairs<String, (any ValueEncodable)?>
  ) async throws {
    try await core.send(core.packed(topic: topic, name, arguments), within: timeout)
  }
}
