extension Configuration {
  /// One ZeroMQ service behind the gateway.
  public struct Service: Sendable, Hashable {
    /// The name in URLs: `[A-Za-z0-9_.-]+`, at most 255 bytes.
    public var name: String
    /// How it is spoken to.
    public var pattern: Pattern
    /// Which methods callers reach (default: all of them, none by GET).
    public var methods: Methods
    /// How its results and events are written as JSON.
    public var json: JSONStyle
    /// Whether the gateway is ready only while this service has a connection (default: true).
    public var isRequired = true

    /// A service all of whose methods can be called.
    public init(_ name: String, _ pattern: Pattern, methods: Methods = .init(), json: JSONStyle = .init()) {
      self.name = name
      self.pattern = pattern
      self.methods = methods
      self.json = json
    }
  }

  /// How a service is spoken to.
  public enum Pattern: Sendable, Hashable {
    /// Calls with results: `/rpc/{service}/{method}`.
    case rpc(RPC)
    /// Calls without results: `/push/{service}/{method}`.
    case pipeline(Pipeline)
    /// Events out, in, or both: `/pub/...` and `/sub/...`.
    case pubsub(PubSub)
  }

  /// Which methods callers reach: globs in which `*` is any run of characters, dots included, and `?` is one.
  ///
  /// A method with a part that starts with `_` is never reached.
  public struct Methods: Sendable, Hashable {
    /// What can be called (default: everything).
    public var expose: [String]
    /// What cannot, even when exposed (default: nothing).
    public var hide: [String]
    /// What GET may call as well (default: nothing).
    public var safe: [String]

    /// Everything by POST, nothing by GET, unless told otherwise.
    public init(expose: [String] = ["*"], hide: [String] = [], safe: [String] = []) {
      self.expose = expose
      self.hide = hide
      self.safe = safe
    }
  }

  /// How results and events are written where JSON leaves a choice.
  public struct JSONStyle: Sendable, Hashable {
    /// Integers beyond 2^53.
    public enum Integers: String, Sendable, Hashable, CaseIterable {
      /// As numbers, exact to readers that keep 64 bits.
      case number
      /// As strings of digits.
      case string
    }

    /// NaN and the infinities.
    public enum Nonfinite: String, Sendable, Hashable, CaseIterable {
      /// As `null`.
      case null
      /// As `"NaN"`, `"Infinity"`, `"-Infinity"`.
      case string
      /// Not at all: the call fails.
      case error
    }

    /// Map keys that are not strings.
    public enum Keys: String, Sendable, Hashable, CaseIterable {
      /// As their text.
      case string
      /// As `{"$map":[[key,value],...]}`.
      case pairs
    }

    /// Integers beyond 2^53 (default: numbers).
    public var integers = Integers.number
    /// NaN and the infinities (default: `null`).
    public var nonfinite = Nonfinite.null
    /// Map keys that are not strings (default: their text).
    public var keys = Keys.string

    /// The defaults of the contract.
    public init() {}
  }
}
