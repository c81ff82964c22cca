extension Configuration {
  /// Request and reply.
  public struct RPC: Sendable, Hashable {
    /// The backends, at least one; calls go to the least busy.
    public var connect: [Address]
    /// How long a call may take when the caller does not say (default: 5 s).
    public var timeout: Duration = .seconds(5)
    /// The longest a caller may ask for; at least `timeout` (default: 60 s).
    public var maximumTimeout: Duration = .seconds(60)
    /// Calls waiting or running at one time, 1...1,000,000 (default: 1,000).
    public var inFlight = 1_000
    /// The largest reply, in bytes (default: 64 MiB).
    public var replyLimit = 64 << 20
    /// What callers learn of its exceptions; what is not set here comes from the gateway's `errors`.
    public var errors = Errors()

    /// The default timeouts and bounds.
    public init(connect: [Address]) { self.connect = connect }
  }

  /// Calls without replies.
  public struct Pipeline: Sendable, Hashable {
    /// The backends, at least one; messages go to them in turn.
    public var connect: [Address]

    /// Sends to any of `connect`.
    public init(connect: [Address]) { self.connect = connect }
  }

  /// Events; at least one direction is set.
  public struct PubSub: Sendable, Hashable {
    /// Events from HTTP to ZeroMQ.
    public var publish: Publish?
    /// Events from ZeroMQ to HTTP.
    public var subscribe: Subscribe?

    /// One direction or both.
    public init(publish: Publish? = nil, subscribe: Subscribe? = nil) {
      self.publish = publish
      self.subscribe = subscribe
    }
  }

  /// Events from HTTP to ZeroMQ.
  public struct Publish: Sendable, Hashable {
    /// The peers every event goes to, at least one.
    public var connect: [Address]

    /// Publishes to all of `connect`.
    public init(connect: [Address]) { self.connect = connect }
  }

  /// Events from ZeroMQ to HTTP.
  public struct Subscribe: Sendable, Hashable {
    /// The publishers, at least one.
    public var connect: [Address]
    /// The prefixes a stream may ask for, each with all that it starts; `""` allows any (default: any).
    public var topics: [String] = [""]
    /// Different topics that all streams together may ask for, 1...1,000,000; a stream that would exceed it is refused
    /// (default: 100,000).
    public var topicsLimit = 100_000
    /// What is kept for streams that resume.
    public var history = History()
    /// What happens to a stream that reads too slowly (default: it is disconnected).
    public var slow = Slow.disconnect
    /// The longest frame of a published message, in bytes; a publisher that sends a longer one is disconnected and what
    /// follows it on that connection is lost (default: 8 MiB).
    public var eventLimit = 8 << 20
    /// How long an upstream subscription outlives its last stream (default: 1 s).
    public var linger: Duration = .seconds(1)
    /// Silence after which a stream gets a comment (default: 15 s).
    public var heartbeat: Duration = .seconds(15)
    /// How long clients are told to wait before they connect again (default: 3 s).
    public var retry: Duration = .seconds(3)

    /// Any topic, the default history.
    public init(connect: [Address]) { self.connect = connect }
  }

  /// What is kept of a service's events, whichever bound is met first.
  public struct History: Sendable, Hashable {
    /// The number of events; streams read from them, so at least 1,024 or 4 MiB are kept (default: 1,000).
    public var events = 1_000
    /// Their encoded size, in bytes (default: 8 MiB).
    public var bytes = 8 << 20
    /// Their age (default: 10 min).
    public var age: Duration = .seconds(600)

    /// The defaults of the contract.
    public init() {}
  }

  /// What happens to a stream that reads too slowly.
  public enum Slow: String, Sendable, Hashable, CaseIterable {
    /// It is told and closed; it may resume.
    case disconnect
  }
}
