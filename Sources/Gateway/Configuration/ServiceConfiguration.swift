import ConfigurationReader
public import MessagePack
import ZeroMQ

extension Configuration {
  /// One ZeroMQ service behind the gateway: an entry of `services`.
  public struct Service: Sendable, Hashable {
    /// The name in URLs: `[A-Za-z0-9_.-]+`, at most 255 bytes.
    public var name: String
    /// How it is spoken to.
    public var pattern: Pattern
    /// Which methods callers reach (default: all of them, none by GET).
    public var methods: Methods
    /// How its results and events are written as JSON.
    public var json: JSONStyle
    /// How dates in arguments are passed on (default: callers send them as text).
    public var datetimes = Datetimes.text
    /// The application types that callers may send, by their extension code, one of `ExtensionRules.codes`, each with the form in
    /// which JSON shows it (default: none).
    public var ext: [Int8: ExtensionRules.Form] = [:]
    /// How its sockets are secured; nil: not at all (default).
    public var curve: Curve?
    /// Whether the gateway is ready only while this service has a connection (default: true).
    public var isRequired = true

    /// A service all of whose methods can be called.
    public init(_ name: String, _ pattern: Pattern, methods: Methods = .init(), json: JSONStyle = .init()) {
      self.name = name
      self.pattern = pattern
      self.methods = methods
      self.json = json
    }

    /// Reads one service; `nil` when too little of it can be understood. Whatever is wrong was reported.
    init?(
      _ name: String, in services: Section, of folder: String, limits: Limits, routes: inout RouteReader,
      bound: inout [BoundEndpoint]
    ) {
      guard let section = services.section(name) else { return nil }
      Self.check(name, in: services)
      self.init(name, .pubsub(.init()))
      section.read("required", into: &isRequired) { $0.boolean() }
      let kind: PatternName? = section.field("pattern")?.choice(meant: PatternName.meant)
      if !section.has("pattern") { section.report("has no pattern; it is one of rpc, pipeline, pubsub") }
      switch kind {
      case .rpc: pattern = .rpc(.init(section, limits))
      case .pipeline: pattern = .pipeline(.init(section))
      case .pubsub: pattern = .pubsub(.init(section, limits))
      // What the other keys mean depends on the pattern, so nothing can be said of them.
      case nil: section.ignore(Self.patternKeys)
      }
      bound += boundEndpoints(in: section)
      if let inner = section.section("curve") {
        curve = Curve(inner, in: folder)
        if directions.contains(where: { !$0.bind.isEmpty }) {
          section.report(
            "does not apply to bind: only backends that are connected to are servers of CURVE", at: "curve")
        }
      }
      if let inner = section.section("methods") {
        if case .rpc(let rpc) = pattern {
          methods.read(inner, of: rpc)
          pattern = .rpc(rpc.leavingRoom(for: methods, unless: section.section("priorities")?.has("normal") == true))
        } else {
          methods.read(inner, of: kind == nil ? RPC(connect: []) : nil)
        }
      }
      if case .rpc(let rpc) = pattern, rpc.repeats, methods.safe.isEmpty {
        section.report(
          "does nothing: only methods that are declared safe are sent twice; list them in methods.safe",
          at: section.has("hedge") ? "hedge" : "retries")
      }
      if case .rpc(var rpc) = pattern, let inner = section.section("routes") {
        rpc.routes = routes.read(inner, of: name, methods)
        pattern = .rpc(rpc)
      } else if kind != .rpc {
        section.refuse("routes", because: "does not apply: only methods of pattern rpc are answered")
      }
      if kind == .pipeline {
        section.refuse("json", because: "does not apply to a pipeline, which answers nothing")
      } else if let inner = section.section("json") {
        json.read(inner)
      }
      section.read("datetimes", into: &datetimes) { $0.choice() }
      if let inner = section.section("ext") { readExtensions(inner) }
      section.finish(hints: Self.hints)
    }

    /// What to write for keys that are called otherwise, or stand elsewhere.
    private static let hints = [
      (keys: ["type"], words: "write pattern"),
      (["endpoint", "endpoints", "address", "url"], "write connect, or bind"),
      (["expose", "hide", "safe", "context", "settings", "declare"], "it goes under methods"),
      (
        ["topics", "history", "last", "seq", "slow", "linger", "heartbeat", "retry", "max-age"],
        "it goes under subscribe, of pattern pubsub"
      ),
    ]

    private mutating func readExtensions(_ section: Section) {
      for key in section.keys {
        if let code = Int8(key), "\(code)" == key, ExtensionRules.codes.contains(code) {
          if let form: ExtensionRules.Form = section.field(key)?.choice() { ext[code] = form }
        } else {
          section.ignore([key])
          section.report(Self.complaint(aboutCode: key), at: key)
        }
      }
    }

    private static func complaint(aboutCode key: String) -> String {
      switch Int(key) {
      case -1: "-1 is the timestamp of MessagePack, which always passes"
      case .some(123...127):
        "the codes 123 to 127 are unpickled by services and cannot be listed; datetimes: pickle lets dates in"
      default: "a code is a whole number from \(ExtensionRules.codes.lowerBound) to \(ExtensionRules.codes.upperBound)"
      }
    }

    /// What turns its callers' arguments into MessagePack.
    func reader(limits: TranscodingLimits) -> JSONToMessagePack {
      JSONToMessagePack(limits: limits, extensions: extensions)
    }

    /// What writes its results and events as JSON.
    func writer(limits: TranscodingLimits) -> MessagePackToJSON {
      MessagePackToJSON(
        limits: limits, integers: json.integers, nonFinite: json.nonFinite, keys: json.keys, extensions: extensions)
    }

    private var extensions: ExtensionRules { ExtensionRules(ext, picklesDates: datetimes == .pickle) }

    private static func check(_ name: String, in services: Section) {
      if !name.utf8.allSatisfy(\.isNameByte) || name.isEmpty || name == "." || name == ".." {
        services.report("a service name is made of letters, digits, \"_\", \".\" and \"-\"", at: name)
      } else if name.utf8.count > NameRules.longest {
        services.report("a service name has at most \(NameRules.longest) bytes", at: name)
      }
    }

    private enum PatternName: String, CaseIterable {
      case rpc, pipeline, pubsub

      /// What sockets and messages of ZeroMQ are called.
      static let meant: [String: PatternName] = [
        "req": .rpc, "rep": .rpc, "request": .rpc, "reply": .rpc, "dealer": .rpc, "router": .rpc, "push": .pipeline,
        "pull": .pipeline, "pub": .pubsub, "sub": .pubsub, "xpub": .pubsub, "xsub": .pubsub, "publish": .pubsub,
        "subscribe": .pubsub,
      ]
    }

    /// The keys that belong to one pattern or another.
    private static let patternKeys = [
      "connect", "bind", "describe", "timeout", "max-timeout", "in-flight", "queue", "queue-timeout", "priorities",
      "breaker", "retries", "hedge",
      "resolve",
      "errors",
      "reply-limit", "publish",
      "subscribe",
    ]
  }

  /// How dates in arguments are passed on.
  public enum Datetimes: String, Sendable, Hashable, CaseIterable {
    /// Not at all: callers send text.
    case text
    /// `{"$datetime":"..."}` and its kind are pickled by the gateway, as Python's aiozmq does.
    case pickle
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

  /// How results and events are written where JSON leaves a choice.
  public struct JSONStyle: Sendable, Hashable {
    /// Integers beyond 2^53 (default: numbers).
    public var integers = MessagePackToJSON.Integers.number
    /// NaN and the infinities (default: `null`).
    public var nonFinite = MessagePackToJSON.NonFinite.null
    /// Map keys that are not strings (default: their text).
    public var keys = MessagePackToJSON.Keys.string

    /// The defaults.
    public init() {}

    fileprivate mutating func read(_ section: Section) {
      section.read("ints", into: &integers) { $0.choice() }
      section.read("nonfinite", into: &nonFinite) { $0.choice() }
      section.read("keys", into: &keys) { $0.choice() }
      section.finish()
    }
  }
}
