import ConfigurationReader
import Reactor
public import ZeroMQ
public import ZeroMQRPC

extension Configuration {
  /// Request and reply: `pattern: rpc`.
  public struct RPC: Sendable, Hashable {
    /// The backends, at least one unless `bind` has some; calls go to the least busy.
    public var connect: [Endpoint]
    /// Where backends connect, instead of `connect`: one socket, from which calls are dealt out to them in turn (default: nowhere).
    public var bind: [Endpoint] = []
    /// How many calls each backend can have when one without a weight has one, 1...1,000 (default: 1 each).
    public var weights: [Endpoint: Int] = [:]
    /// How long a call may take when the caller does not say (default: 5 s).
    public var timeout: Duration = .seconds(5)
    /// The longest a caller may ask for; at least `timeout` (default: 60 s).
    public var maximumTimeout: Duration = .seconds(60)
    /// Calls waiting or running at one time, 1...1,000,000 (default: 1,000).
    public var inFlight = 1_000
    /// Those of them that may wait because all backends are full, 0...1,000,000; nil is all of them (default).
    public var queue: Int?
    /// How long a call may wait so, 1 ms to 1 h; nil is until its deadline (default).
    public var queueTimeout: Duration?
    /// Which part of `inFlight` and `queue` calls to methods of low and normal priority may fill (default: 50 of 100, and all; 90 where a
    /// method has high priority).
    public var shares = PriorityShares()
    /// When an endpoint is left alone because its calls fail (default: after 5 failures in a row, for 10 s).
    public var breaker = BreakerOptions()
    /// How often a call to a safe method is sent once more when its connection is lost (default: never), and how many calls may be sent
    /// twice at all (default: 10 of 100).
    public var retries = RetryOptions()
    /// When a call to a safe method gets a second copy at another endpoint (default: never).
    public var hedge = HedgeDelay.never
    /// How often names of hosts are looked up (default: 30 s).
    public var resolve = RPCOptions().resolveInterval
    /// The largest reply, in bytes (default: 64 MiB).
    public var replyLimit = RPCOptions().longestReply
    /// What callers learn of its exceptions; what is not set here comes from the gateway's `errors`.
    public var errors = Errors()

    /// Results that are kept for `keep` of a method, on each thread: 0...1,000,000 (default: 1,000).
    public var keepResults = 1_000
    /// Their bytes together, on each thread (default: 8 MiB).
    public var keepBytes = 8 << 20
    /// How results are watched.
    public var watch = Watch()
    /// Whether the service is asked what it can be called with, by `rpc.describe`, for the documents (default: false).
    public var describe = false
    /// REST routes to its methods, read from `routes` (default: none).
    public var routes: [Route] = []

    /// The default timeouts and bounds.
    public init(connect: [Endpoint]) { self.connect = connect }

    /// What an engine is told. `longestShortReply` is `http.limits.inline`.
    func options(longestShortReply: Int, _ security: SocketSecurity = .null) -> RPCOptions {
      var options = RPCOptions()
      options.security = security
      options.longestReply = replyLimit
      options.longestShortReply = longestShortReply
      // A caller may set any deadline; only one that the service's own timeout would have allowed says that the backend is silent.
      options.leastSilence = min(options.leastSilence, timeout)
      options.resolveInterval = resolve
      (options.shares, options.longestWait) = (shares, queueTimeout)
      (options.breaker, options.retries, options.hedge) = (breaker, retries, hedge)
      return options
    }

    init(_ section: Section, _ limits: Limits) {
      let (backends, bind) = section.backends(allowsWeight: true)
      self.init(connect: backends.map(\.endpoint))
      self.bind = bind
      for backend in backends where backend.weight != 1 { weights[backend.endpoint] = backend.weight }
      section.refuse("publish", "subscribe", because: "belongs to pattern pubsub; this service is rpc")
      readTimeouts(section)
      section.read("in-flight", into: &inFlight) { $0.integer(in: 1...1_000_000) }
      section.read("queue", into: &queue) { $0.integer(in: 0...1_000_000) }
      if let queue, queue > inFlight {
        section.report(
          "contradiction: calls that wait are in flight as well, and in-flight is \(inFlight); raise it, or lower queue",
          at: "queue")
      }
      section.read("queue-timeout", into: &queueTimeout) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      if let inner = section.section("priorities") { readShares(inner) }
      if section.has("bind"), !section.has("connect") {
        refuseForBind(section)
      } else {
        section.read("describe", into: &describe) { $0.boolean() }
        section.read("resolve", into: &resolve) { $0.duration(in: .seconds(1) ... .hours(1)) }
        readBreaker(section)
        readRepeats(section)
      }
      section.read("reply-limit", into: &replyLimit) { $0.bytes(in: 1...(4 << 30)) }
      section.fit("reply-limit", &replyLimit, into: limits)
      section.read("keep-results", into: &keepResults) { $0.integer(in: 0...1_000_000) }
      section.read("keep-bytes", into: &keepBytes) { $0.bytes(in: 0...(64 << 30)) }
      section.fit("keep-bytes", &keepBytes, into: limits)
      if let inner = section.section("watch") { watch.read(inner) }
      if let inner = section.section("errors") { errors.read(inner) }
    }

    /// `priorities: { low: 50%, normal: 90% }`.
    private mutating func readShares(_ section: Section) {
      section.read("low", into: &shares.low) { $0.percent(in: 1...100) }
      section.read("normal", into: &shares.normal) { $0.percent(in: 1...100) }
      if shares.low > shares.normal {
        section.report(
          "contradiction: low may fill \(shares.low)%, normal only \(shares.normal)%",
          at: section.has("normal") ? "normal" : "low")
      }
      section.finish()
    }

    /// With room that only methods of high priority may fill, where there are some.
    func leavingRoom(for methods: Methods, unless isSet: Bool) -> RPC {
      var rpc = self
      if !isSet, methods.settings.values.contains(where: { $0.priority == .high }) { rpc.shares.normal = 90 }
      return rpc
    }

    /// What needs to know which backend has a call, or where it is.
    private func refuseForBind(_ section: Section) {
      section.refuse(
        "describe",
        because: "does not apply to bind: which of the backends answers is theirs to say, and they may differ")
      section.refuse(
        "resolve", because: "does not apply to bind: backends connect by themselves, and no host is looked up")
      section.refuse(
        "breaker",
        because: "does not apply to bind: backends that connect share one socket, so none of them can be left alone")
      section.refuse(
        "retries",
        because: "does not apply to bind: which calls a lost backend had is not known, unless it was the last one")
      section.refuse(
        "hedge", because: "does not apply to bind: a second copy of a call might go to the backend that has the first")
    }

    /// `timeout` and `max-timeout`, which may not contradict each other.
    private mutating func readTimeouts(_ section: Section) {
      section.read("timeout", into: &timeout) { $0.duration(in: Self.timeouts) }
      section.read("max-timeout", into: &maximumTimeout) { $0.duration(in: Self.timeouts) }
      if timeout > maximumTimeout { section.reportContradiction(timeout, maximumTimeout) }
    }

    /// `breaker: { failures: 5, open: 10s }`, or `off`.
    private mutating func readBreaker(_ section: Section) {
      guard let field = section.field("breaker") else { return }
      guard field.isMapping, let inner = field.section() else {
        if field.value("off, or what opens it", Self.off) != nil { breaker.failures = nil }
        return
      }
      inner.read("failures", into: &breaker.failures) { $0.integer(in: 1...1_000) }
      inner.read("open", into: &breaker.open) { $0.duration(in: .milliseconds(100) ... .hours(1)) }
      inner.finish()
    }

    private static func off(_ text: String) throws(InvalidText) {
      if text != "off" { throw InvalidText("expected off, or what opens it, such as { failures: 5, open: 10s }") }
    }

    /// `retries: { attempts: 1, budget: 10%, burst: 100 }`, and `hedge: true`, `{ after: p95 }` or `{ after: 50ms }`.
    private mutating func readRepeats(_ section: Section) {
      if let inner = section.section("retries") {
        retries.attempts = 1
        inner.read("attempts", into: &retries.attempts) { $0.integer(in: 0...10) }
        inner.read("budget", into: &retries.percent) { $0.percent(in: 0...100) }
        inner.read("burst", into: &retries.burst) { $0.integer(in: 1...10_000) }
        inner.finish()
      }
      guard let field = section.field("hedge") else { return }
      guard field.isMapping, let inner = field.section() else {
        if field.value("true, or when", Self.isOn) == true { hedge = .percentile95 }
        return
      }
      hedge = .percentile95
      inner.read("after", into: &hedge) { field in
        if field.text("a duration, or p95") == "p95" { return .percentile95 }
        return field.duration(in: .milliseconds(1) ... .hours(1)).map(HedgeDelay.after)
      }
      inner.finish()
    }

    private static func isOn(_ text: String) throws(InvalidText) -> Bool {
      if text == "true" || text == "false" { return text == "true" }
      throw InvalidText(
        "expected true, false, or when a second copy is sent, such as { after: p95 } or { after: 50ms }")
    }

    /// Whether calls to safe methods may be sent twice.
    var repeats: Bool { retries.attempts > 0 || hedge != .never }

    /// What `timeout` and `max-timeout` may be.
    static let timeouts = Duration.milliseconds(1) ... .hours(24)
  }
}

extension Configuration {
  /// How results of safe methods are watched: `watch`.
  public struct Watch: Sendable, Hashable {
    /// Different calls that are watched at one time, on each thread: 0...1,000,000 (default: 100).
    public var calls = 100
    /// The shortest time from one call to the next (default: 1 s).
    public var interval: Duration = .seconds(1)
    /// Silence after which a stream gets a comment, at most (default: 15 s).
    public var heartbeat: Duration = .seconds(15)
    /// How long clients are told to wait before they connect again (default: 3 s).
    public var retry: Duration = .seconds(3)

    /// The defaults.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("calls", into: &calls) { $0.integer(in: 0...1_000_000) }
      section.read("interval", into: &interval) { $0.duration(in: .milliseconds(10) ... .hours(1)) }
      section.read("heartbeat", into: &heartbeat) { $0.duration(in: .seconds(1) ... .hours(1)) }
      section.read("retry", into: &retry) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.finish()
    }
  }
}

extension Section {
  /// Reports a `timeout` beyond `max-timeout`.
  func reportContradiction(_ timeout: Duration, _ most: Duration) {
    let advice = has("max-timeout") ? "" : ", unless it is raised"
    report(
      "contradiction: timeout is \(Quantity.text(timeout)), max-timeout only \(Quantity.text(most))\(advice)",
      at: has("max-timeout") ? "max-timeout" : "timeout")
  }
}
