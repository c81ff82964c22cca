import ConfigurationReader
import Reactor
public import ZeroMQ

extension Configuration {
  /// Events, at least in one direction: `pattern: pubsub`.
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

    init(_ section: Section, _ limits: Limits) {
      self.init()
      section.refuse("connect", "bind", because: "goes under publish or subscribe in pattern pubsub")
      section.refuse(
        "timeout", "max-timeout", "in-flight", "queue", "breaker", "retries", "hedge", "resolve", "errors",
        "reply-limit",
        because: "does not apply to pattern pubsub, which answers nothing")
      if let inner = section.section("publish") { publish = .init(inner) }
      if !section.has("publish") { section.refuse("methods", "datetimes", because: "does not apply without publish") }
      if let inner = section.section("subscribe") { subscribe = .init(inner, limits) }
      if !section.has("publish"), !section.has("subscribe") {
        section.report("has neither publish nor subscribe; pattern pubsub needs at least one")
      }
    }
  }

  /// Events from HTTP to ZeroMQ: `publish`.
  public struct Publish: Sendable, Hashable {
    /// The peers every event goes to, at least one unless `bind` has some.
    public var connect: [Endpoint]
    /// Where peers connect, instead of `connect` (default: nowhere).
    public var bind: [Endpoint] = []
    /// The prefixes of what may be published on, each with all that it starts; `""` allows any (default: any).
    public var topics: [String] = [""]
    /// The same as bytes.
    var prefixes: [[UInt8]] { topics.map { Array($0.utf8) } }

    /// Publishes to all of `connect`, on any topic.
    public init(connect: [Endpoint]) { self.connect = connect }

    fileprivate init(_ section: Section) {
      let (connect, bind) = section.endpoints()
      self.init(connect: connect)
      self.bind = bind
      section.read("topics", into: &topics) { $0.topicPrefixes() }
      section.finish()
    }
  }

  /// Events from ZeroMQ to HTTP: `subscribe`.
  public struct Subscribe: Sendable, Hashable {
    /// The publishers, at least one unless `bind` has some.
    public var connect: [Endpoint]
    /// Where publishers connect, instead of `connect` (default: nowhere).
    public var bind: [Endpoint] = []
    /// The prefixes a stream may ask for, each with all that it starts; `""` allows any (default: any).
    public var topics: [String] = [""]
    /// The same as bytes.
    var prefixes: [[UInt8]] { topics.map { Array($0.utf8) } }
    /// Topics that one stream may name, 1...100,000; a stream that names more is refused (default: 512).
    public var topicsPerStream = 512
    /// Different topics that all streams together may ask for, 1...1,000,000, of 32 bytes on the average, or 64 KiB together; a stream
    /// that would exceed it is refused (default: 100,000).
    public var topicsLimit = 100_000
    /// What is kept for streams that resume. While it keeps anything, all of `topics` is subscribed to, whether a stream asks for it
    /// or not.
    public var history = History()
    /// How the publishers number their messages, so that streams are told of those that do not arrive; nil when they do not (default).
    public var numbering: Numbering?
    /// The last event of each topic is kept for who asks for it, within these bounds; nil for none (default). While it is, all of
    /// `topics` is subscribed to, as for the history.
    public var last: LastValues?
    /// What happens to a stream that reads too slowly (default: it is disconnected).
    public var slow = Slow.disconnect
    /// The longest frame of a published message, in bytes; a message with a longer one is dropped, and its streams are told. A
    /// publisher that sends one of more than four times that is disconnected, and what follows it on that connection is lost
    /// (default: 8 MiB).
    public var eventLimit = 8 << 20
    /// How long an upstream subscription outlives its last stream (default: 10 s).
    public var linger: Duration = .seconds(10)
    /// Silence after which a stream gets a comment (default: 15 s).
    public var heartbeat: Duration = .seconds(15)
    /// How long clients are told to wait before they connect again (default: 3 s).
    public var retry: Duration = .seconds(3)
    /// How long a stream may be open; it ends in the last tenth of that time, or up to a heartbeat later (default: 1 h).
    public var maxAge: Duration = .hours(1)

    /// Any topic, the default history.
    public init(connect: [Endpoint]) { self.connect = connect }

    /// Whether anything is kept of events, and so all of `topics` subscribed to.
    var keepsEvents: Bool { history.keepsEvents || last != nil }

    fileprivate init(_ section: Section, _ limits: Limits) {
      let (connect, bind) = section.endpoints()
      self.init(connect: connect)
      self.bind = bind
      section.read("topics", into: &topics) { $0.topicPrefixes() }
      section.read("topics-per-stream", into: &topicsPerStream) { $0.integer(in: 1...100_000) }
      if topics.count > topicsPerStream {
        section.report(
          "topics are \(topics.count), and a stream that names none asks for all; topics-per-stream allows \(topicsPerStream)"
        )
      }
      section.read("topics-limit", into: &topicsLimit) { $0.integer(in: 1...1_000_000) }
      if let inner = section.section("history") { history.read(inner, limits) }
      if let inner = section.section("last") { last = LastValues(inner, limits) }
      if let inner = section.section("seq") { numbering = Numbering(inner) }
      if numbering?.scope == .publisher, connect.count != 1 || !topics.contains("") || !history.keepsEvents {
        section.report(
          "per: publisher needs one endpoint in connect, topics [\"\"] and a history: otherwise numbers are missing that are not lost",
          at: "seq")
      }
      section.read("slow", into: &slow) { $0.choice() }
      section.read("event-limit", into: &eventLimit) { $0.bytes(in: (1 << 10)...(1 << 30)) }
      section.fit("event-limit", &eventLimit, into: limits)
      section.read("linger", into: &linger) { $0.duration(in: .zero ... .hours(1)) }
      section.read("heartbeat", into: &heartbeat) { $0.duration(in: .seconds(1) ... .hours(1)) }
      section.read("retry", into: &retry) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.read("max-age", into: &maxAge) { $0.duration(in: .seconds(1) ... .hours(10_000)) }
      section.finish()
    }
  }

  /// What is kept of the last events of topics, whichever bound is met first: `last`.
  public struct LastValues: Sendable, Hashable {
    /// The number of topics, 1...1,000,000; those go first that have been silent longest (default: 10,000).
    public var topics = 10_000
    /// The encoded size of their events, in bytes (default: 16 MiB).
    public var bytes = 16 << 20

    /// The defaults.
    public init() {}

    fileprivate init(_ section: Section, _ limits: Limits) {
      section.read("topics", into: &topics) { $0.integer(in: 1...1_000_000) }
      section.read("bytes", into: &bytes) { $0.bytes(in: (4 << 10)...(64 << 30)) }
      section.fit("bytes", &bytes, into: limits)
      section.finish()
    }
  }

  /// What is kept of a service's events, whichever bound is met first: `history`.
  public struct History: Sendable, Hashable {
    /// The number of events (default: 1,000).
    public var events = 1_000
    /// Their encoded size, in bytes (default: 8 MiB).
    public var bytes = 8 << 20
    /// Their age (default: 10 min).
    public var age: Duration = .seconds(600)

    /// The defaults.
    public init() {}

    /// Whether the bounds let any event be kept.
    var keepsEvents: Bool { events > 0 && bytes > 0 && age > .zero }

    fileprivate mutating func read(_ section: Section, _ limits: Limits) {
      section.read("events", into: &events) { $0.integer(in: 0...10_000_000) }
      section.read("bytes", into: &bytes) { $0.bytes(in: 0...(64 << 30)) }
      section.fit("bytes", &bytes, into: limits)
      section.read("age", into: &age) { $0.duration(in: .zero ... .hours(10_000)) }
      section.finish()
    }
  }

  /// What happens to a stream that reads too slowly.
  public enum Slow: String, Sendable, Hashable, CaseIterable {
    /// It is told and closed; it may resume.
    case disconnect
    /// It is told, and goes on with the oldest event that is kept.
    case dropOldest = "drop-oldest"
    /// As `dropOldest`; and of what it has fallen behind it gets the newest event of each topic only.
    case conflate
  }
}

extension Field {
  /// Prefixes of topics, at least one.
  fileprivate func topicPrefixes() -> [String]? {
    guard let elements = elements() else { return nil }
    if elements.isEmpty { report("an empty list allows no topic; [\"\"] allows any") }
    var topics: [String] = []
    for element in elements {
      guard let text = element.text("a topic prefix") else { continue }
      if text.utf8.count > NameRules.longestTopic {
        element.report("a topic has at most \(NameRules.longestTopic) bytes, not \(text.utf8.count)")
      } else {
        topics.append(text)
      }
    }
    return topics
  }
}
