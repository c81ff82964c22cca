public import MessagePack
public import Reactor
public import ZeroMQ

/// Publishes calls on topics, over a PUB socket. Each call goes to whoever subscribed to its topic, or to a prefix of it.
///
/// ```swift
/// let news = try await PubSubClient.bind(["tcp://*:5557"])
/// try await news.waitForSubscriber(of: "weather.oslo")
/// try await news.publish("weather.oslo").update(21.5)
/// ```
///
/// A call never waits, nor fails for want of a subscriber: what nobody subscribes to is dropped, and so is what a subscriber has no room
/// for. It throws `CallFailure` when the client is closed or its memory is used up, `ConversionError` and `TranscodingError` as an
/// `RPCClient`'s.
public struct PubSubClient: Sendable {
  private let core: OneWayClientCore

  /// Begins to connect to each endpoint, and keeps at it. Throws `EndpointError`, and `ZMQError` where libzmq refuses; nothing is left
  /// then.
  public nonisolated(nonsending) static func connect(
    _ endpoints: [some EndpointConvertible], on reactor: Reactor = .shared, in context: Context = .shared,
    _ configure: (inout OneWayClientOptions) -> Void = { _ in }
  ) async throws -> PubSubClient {
    var options = OneWayClientOptions()
    configure(&options)
    return PubSubClient(
      core: try await OneWayClientCore.start(.publish, connect: endpoints, bind: [], options, in: context, on: reactor))
  }

  /// Binds, for subscribers that connect; else as `connect`.
  public nonisolated(nonsending) static func bind(
    _ endpoints: [some EndpointConvertible], on reactor: Reactor = .shared, in context: Context = .shared,
    _ configure: (inout OneWayClientOptions) -> Void = { _ in }
  ) async throws -> PubSubClient {
    var options = OneWayClientOptions()
    configure(&options)
    return PubSubClient(
      core: try await OneWayClientCore.start(.publish, connect: [], bind: endpoints, options, in: context, on: reactor))
  }

  /// The methods of the subscribers, called on a topic: `news.publish("weather.oslo").update(21.5)`.
  public func publish(_ topic: String) -> OneWayMethods { publish(Array(topic.utf8)) }

  /// The same, on a topic of any bytes; none by default, which only those hear who have subscribed to everything.
  public func publish(_ topic: [UInt8] = []) -> OneWayMethods { OneWayMethods(core, topic: topic) }

  /// Calls a method by its whole name. Arguments by name travel in the order of their names.
  public nonisolated(nonsending) func publish(
    _ topic: String, _ name: String, _ arguments: [(any ValueEncodable)?] = [],
    _ keywords: [String: (any ValueEncodable)?] = [:]
  ) async throws {
    try await core.send(core.packed(topic: Array(topic.utf8), name, arguments, Keywords(keywords)), within: nil)
  }

  /// Returns as soon as somebody has subscribed to the topic, or to a prefix of it: what is published then arrives. Throws `ZMQError`, of
  /// code `timedOut` after the limit, and `CancellationError`.
  public func waitForSubscriber(of topic: String, within limit: Duration? = nil) async throws {
    try await core.waitForSubscriber(of: Array(topic.utf8), within: limit)
  }

  /// Its endpoints, which come and go through it. Throws `CallFailure` when the client is closed.
  public var transport: ClientTransport {
    get async throws {
      try await core.requireOpen()
      return ClientTransport(core)
    }
  }

  /// Closes: what libzmq has gets `OneWayClientOptions.linger` to leave. A second call does nothing.
  public func close() async { await core.close() }

  /// Returns when the client is closed.
  public func waitClosed() async { await core.waitClosed() }
}
