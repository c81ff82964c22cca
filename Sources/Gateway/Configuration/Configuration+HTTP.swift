extension Configuration {
  /// Where and how HTTP is served.
  public struct HTTP: Sendable, Hashable {
    /// The addresses to listen on, at least one (default: 127.0.0.1:8080).
    public var listen = [Listen(host: "127.0.0.1", port: 8_080)]
    /// Shards, each a thread: 0...256, 0 for one per core (default: 0).
    public var threads = 0
    /// What every path starts with, such as `/api`; no slash at its end (default: empty).
    public var prefix = ""
    /// Bounds on what clients may send and hold.
    public var limits = Limits()

    /// Loopback on port 8080, one thread per core.
    public init() {}
  }

  /// Bounds on what clients may send and hold.
  public struct Limits: Sendable, Hashable {
    /// The largest request body, in bytes (default: 1 MiB).
    public var body = 1 << 20
    /// All request headers together, in bytes (default: 16 KiB).
    public var headers = 16 << 10
    /// The request target, path and query, in bytes (default: 8 KiB).
    public var target = 8 << 10
    /// Open connections (default: 10,000).
    public var connections = 10_000
    /// Open connections of one address (default: 1,000).
    public var connectionsPerAddress = 1_000
    /// How long a request may take to arrive (default: 10 s).
    public var readTimeout: Duration = .seconds(10)
    /// How long the answer of a client that has shut down its sending half is waited for; one that has gone altogether looks
    /// the same (default: 1 s).
    public var halfCloseGrace: Duration = .seconds(1)
    /// Nesting of arguments and results (default: 64).
    public var depth = 64
    /// Elements of one request or reply, all containers together (default: 1,000,000).
    public var elements = 1_000_000

    /// The defaults of the contract.
    public init() {}
  }
}
