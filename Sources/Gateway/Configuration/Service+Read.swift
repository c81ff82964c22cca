extension Configuration.Service {
  /// Reads one service; `nil` when too little of it can be understood. Whatever is wrong was reported.
  init?(_ key: (name: String, place: Place), of services: Section) {
    guard let section = services.section(key.name) else { return nil }
    if !key.name.utf8.allSatisfy(\.isNameByte) || key.name.isEmpty || key.name == "." || key.name == ".." {
      services.report("a service name is made of letters, digits, \"_\", \".\" and \"-\"", at: key.name)
    } else if key.name.utf8.count > NameRules.longest {
      services.report("a service name has at most \(NameRules.longest) bytes", at: key.name)
    }
    self.init(key.name, .pubsub(.init()))
    section.unavailable("curve", "datetimes")
    section.read("required", into: &isRequired) { $0.boolean() }
    let kind: Kind? = section.field("pattern")?.choice()
    if !section.has("pattern") { section.report("has no pattern; it is one of rpc, pipeline, pubsub") }
    switch kind {
    case .rpc: pattern = .rpc(.init(section))
    case .pipeline: pattern = .pipeline(.init(section))
    case .pubsub: pattern = .pubsub(.init(section))
    // What the other keys mean depends on the pattern, so nothing can be said of them.
    case nil: section.ignore(Self.everyKey)
    }
    if let inner = section.section("methods") { methods.read(inner, allowsSafe: kind == .rpc || kind == nil) }
    if kind == .pipeline {
      section.refuse("json", because: "does not apply to a pipeline, which answers nothing")
    } else if let inner = section.section("json") {
      json.read(inner)
    }
    section.finish()
  }

  private enum Kind: String, CaseIterable {
    case rpc, pipeline, pubsub
  }

  private static let everyKey = [
    "connect", "bind", "timeout", "max-timeout", "in-flight", "errors", "reply-limit", "publish", "subscribe",
  ]
}

extension Configuration.RPC {
  init(_ section: Section) {
    self.init(connect: section.addresses())
    section.refuse("publish", "subscribe", because: "belongs to pattern pubsub; this service is rpc")
    section.timeouts(&timeout, &maximumTimeout)
    section.read("in-flight", into: &inFlight) { $0.integer(in: 1...1_000_000) }
    section.read("reply-limit", into: &replyLimit) { $0.bytes(in: 1...(4 << 30)) }
    if let inner = section.section("errors") { errors.read(inner) }
  }
}

extension Configuration.Pipeline {
  init(_ section: Section) {
    self.init(connect: section.addresses())
    section.refuse("publish", "subscribe", because: "belongs to pattern pubsub; this service is a pipeline")
    section.refuse(
      "timeout", "max-timeout", "in-flight", "errors", "reply-limit",
      because: "does not apply to a pipeline, which answers nothing")
  }
}

extension Configuration.PubSub {
  init(_ section: Section) {
    self.init()
    section.refuse("connect", "bind", because: "goes under publish or subscribe in pattern pubsub")
    section.refuse(
      "timeout", "max-timeout", "in-flight", "errors", "reply-limit",
      because: "does not apply to pattern pubsub, which answers nothing")
    if let inner = section.section("publish") {
      publish = .init(connect: inner.addresses())
      inner.finish()
    }
    if !section.has("publish") { section.refuse("methods", because: "does not apply without publish") }
    if let inner = section.section("subscribe") { subscribe = .init(inner) }
    if !section.has("publish"), !section.has("subscribe") {
      section.report("has neither publish nor subscribe; pattern pubsub needs at least one")
    }
  }
}

extension Configuration.Subscribe {
  init(_ section: Section) {
    self.init(connect: section.addresses())
    section.read("topics", into: &topics) { $0.topics() }
    section.read("topics-limit", into: &topicsLimit) { $0.integer(in: 1...1_000_000) }
    if let inner = section.section("history") { history.read(inner) }
    section.read("slow", into: &slow) { $0.choice(later: ["drop-oldest", "conflate"]) }
    section.read("event-limit", into: &eventLimit) { $0.bytes(in: (1 << 10)...(1 << 30)) }
    section.read("linger", into: &linger) { $0.duration(in: .zero ... .hours(1)) }
    section.read("heartbeat", into: &heartbeat) { $0.duration(in: .seconds(1) ... .hours(1)) }
    section.read("retry", into: &retry) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
    section.finish()
  }
}

extension Configuration.History {
  mutating func read(_ section: Section) {
    section.read("events", into: &events) { $0.integer(in: 0...10_000_000) }
    section.read("bytes", into: &bytes) { $0.bytes(in: 0...(64 << 30)) }
    section.read("age", into: &age) { $0.duration(in: .zero ... .hours(10_000)) }
    section.finish()
  }
}

extension Configuration.Methods {
  mutating func read(_ section: Section, allowsSafe: Bool) {
    section.read("expose", into: &expose) { $0.globs() }
    section.read("hide", into: &hide) { $0.globs() }
    if allowsSafe {
      section.read("safe", into: &safe) { $0.globs() }
    } else {
      section.refuse("safe", because: "does not apply: only methods of pattern rpc are called with GET")
    }
    section.finish()
  }
}

extension Configuration.JSONStyle {
  mutating func read(_ section: Section) {
    section.read("ints", into: &integers) { $0.choice() }
    section.read("nonfinite", into: &nonfinite) { $0.choice() }
    section.read("keys", into: &keys) { $0.choice() }
    section.finish()
  }
}
