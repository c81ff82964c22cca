public import Logging
public import MessagePack
public import ZeroMQ

/// How an `RPCClient` calls. Each limit has a default.
public struct RPCClientOptions: Sendable {
  /// What a call throws in place of a `RemoteError`, by the dotted name of the remote class. Searched first.
  ///
  /// ```swift
  /// options.errors["shop.OutOfStock"] = OutOfStock.init   // init(_ error: RemoteError) throws
  /// ```
  ///
  /// When the function throws, because the arguments do not fit, the call throws the `RemoteError` itself.
  public var errors: [String: @Sendable (RemoteError) throws -> any Error] = [:]
  /// While no service is connected, calls throw `noBackend` at once. Default: false, and they wait for one until their deadline.
  public var failFast = false
  /// Calls that wait or are sent; more throw `overloaded`. Default: 10,000.
  public var callsUnderWay = 10_000
  /// Calls that wait for a service, or for room; more throw `queueFull`. Default: 10,000.
  public var waitingCalls = 10_000
  /// Bytes of long calls that wait or are being sent; more throw `memoryFull`. Default: 256 MiB.
  public var bytes = 256 << 20
  /// The types that travel as extensions, in arguments, results and the arguments of exceptions: aiozmq's `translation_table`. See
  /// `Translated`. Default: none.
  public var translators: Translators?
  /// How deep arguments and results may be, and how many values a result. Default: 500 levels, 1,000,000 values.
  public var limits = TranscodingLimits(depth: 500)
  /// Maps in arguments may have keys other than strings and binary, which a Python service cannot read: it would not answer. Default:
  /// false, and such a call throws.
  public var allowsAnyKeys = false
  /// How the client shows who it is, and hides what it says: `.curve` and `.plain` for a service that wants them, a
  /// server's where it binds. Default: not at all.
  public var security = SocketSecurity.null
  /// Its connections. No endpoint is left alone for its failures unless `connections.breaker` is set: Python's client has no breaker.
  public var connections = RPCOptions()
  /// What becomes of the connections is written there. Default: the label `aiozmq.rpc`.
  public var logger = Logger(label: "aiozmq.rpc")

  init() { connections.breaker = .never }
}

/// How a `PipelineClient` or a `PubSubClient` sends. Each limit has a default.
public struct OneWayClientOptions: Sendable {
  /// While no worker is connected or has room, calls throw `noBackend` or `queueFull` at once. Default: false, and they wait until their
  /// deadline.
  public var failFast = false
  /// Calls that wait for a worker; more throw `queueFull`. Default: 10,000.
  public var waitingCalls = 10_000
  /// Bytes of long calls that wait or are being sent; more throw `memoryFull`. Default: 256 MiB.
  public var bytes = 256 << 20
  /// How the client shows who it is, and hides what it says. Default: not at all.
  public var security = SocketSecurity.null
  /// How long closing goes on to send calls that have not left. Default: 500 ms.
  public var linger = Duration.milliseconds(500)
  /// The types that travel as extensions: aiozmq's `translation_table`. See `Translated`. Default: none.
  public var translators: Translators?
  /// How deep arguments may be. Default: 500 levels.
  public var limits = TranscodingLimits(depth: 500)
  /// Maps in arguments may have keys other than strings and binary, which a Python service cannot read. Default: false, and such a call
  /// throws.
  public var allowsAnyKeys = false
  /// What becomes of the connections is written there. Default: the label `aiozmq.rpc`.
  public var logger = Logger(label: "aiozmq.rpc")

  init() {}
}
