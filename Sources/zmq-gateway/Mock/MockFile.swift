import ConfigurationReader
import MessagePack
import Reactor
import ZeroMQ

/// What a mock offers, read from YAML: services by their names, each with a pattern as in the gateway's own configuration.
struct MockFile: Sendable {
  /// An event that is published again and again.
  struct Event: Sendable {
    var topic = ""
    var method = ""
    var arguments: [Value] = []
    var keywords: [String: Value] = [:]
    var interval = Duration.seconds(1)
  }

  enum Pattern: Sendable {
    /// Answers calls at a ROUTER.
    case rpc(bind: [Endpoint], MockMethods)
    /// Takes calls at a PULL.
    case pipeline(bind: [Endpoint], MockMethods)
    /// Publishes at a PUB.
    case publisher(bind: [Endpoint], [Event])
    /// Takes what is published at a SUB.
    case subscriber(bind: [Endpoint], MockMethods)
  }

  private enum PatternName: String, CaseIterable { case rpc, pipeline, pubsub }

  /// In the order of the file; one of pattern pubsub may be two.
  private(set) var services: [(name: String, pattern: Pattern)] = []

  /// Throws all that is wrong, each with its line in `file`.
  init(yaml: String, file: String, environment: [String: String]) throws(ConfigurationErrors) {
    let diagnostics = Diagnostics(file: file, environment: environment)
    let root = YAMLDocument(yaml, diagnostics).root
    if let names = root?.section("services") {
      for name in names.keys {
        if let section = names.section(name) { read(name, section) }
      }
      if names.keys.isEmpty { root?.report("has no service", at: "services") }
    } else if diagnostics.isEmpty {
      diagnostics.report(.outside, "services", "is missing; zmq-gateway help mock shows a file")
    }
    root?.ignoreExtensions()
    root?.finish()
    try diagnostics.finish()
  }

  private mutating func read(_ name: String, _ section: Section) {
    if !section.has("pattern") { section.report("has no pattern; it is one of rpc, pipeline, pubsub") }
    switch section.field("pattern")?.choice(PatternName.self) {
    case .rpc: services.append((name, .rpc(bind: Self.bind(section), MockMethods(name, Self.methods(section)))))
    case .pipeline: services.append((name, .pipeline(bind: Self.bind(section), MockMethods(name, ["*": []]))))
    case .pubsub:
      if let inner = section.section("publish") {
        services.append((name, .publisher(bind: Self.bind(inner), Self.events(inner))))
        inner.finish()
      }
      if let inner = section.section("subscribe") {
        services.append((name, .subscriber(bind: Self.bind(inner), MockMethods(name, ["*": []]))))
        inner.finish()
      }
      if !section.has("publish"), !section.has("subscribe") {
        section.report("has neither publish, with events, nor subscribe; pattern pubsub needs at least one")
      }
    case nil: section.ignore(["bind", "methods", "publish", "subscribe"])
    }
    section.finish()
  }

  private static func bind(_ section: Section) -> [Endpoint] {
    guard let field = section.field("bind") else {
      section.report("has no bind; name an endpoint such as tcp://127.0.0.1:5555")
      return []
    }
    guard let elements = field.elements() else { return [] }
    if elements.isEmpty { field.report("needs at least one endpoint") }
    return elements.compactMap { element in
      element.value("an endpoint") { text throws(EndpointError) in try Endpoint(text) }
    }
  }

  private static func methods(_ section: Section) -> [String: [MockAnswer]] {
    guard let inner = section.section("methods") else { return ["*": []] }
    var methods: [String: [MockAnswer]] = [:]
    for name in inner.keys {
      guard let field = inner.field(name) else { continue }
      if name != "*", name.isEmpty || !name.utf8.allSatisfy(\.isPlain) {
        inner.report(
          "\"\(name)\" is no name of a method: letters, digits, \"_\", \"-\" and \".\", or * for all others", at: name)
      }
      let answers = field.isMapping ? [field] : field.elements() ?? []
      if !field.isMapping, answers.isEmpty { field.report("needs at least one answer, such as { result: 5 }") }
      methods[name] = answers.compactMap(MockAnswer.init)
    }
    return methods
  }

  private static func events(_ section: Section) -> [Event] {
    section.field("events")?.elements()?.compactMap { field -> Event? in
      guard let inner = field.section() else { return nil }
      var event = Event()
      inner.read("topic", into: &event.topic) { $0.text("a topic") }
      inner.read("method", into: &event.method) { $0.text("the name of a method") }
      if !inner.has("method") { inner.report("has no method") }
      if let arguments = inner.field("args")?.mockValue() { event.arguments = arguments.arrayValue ?? [arguments] }
      if let field = inner.field("kwargs"), let keywords = field.mockValue() {
        if keywords.mapValue == nil { field.report("expected a mapping of arguments by their names") }
        for pair in keywords.mapValue ?? [] { event.keywords[pair.key.stringValue ?? ""] = pair.value }
      }
      inner.read("every", into: &event.interval) { $0.duration(in: .milliseconds(1) ... .seconds(86_400)) }
      inner.finish()
      return event
    } ?? []
  }
}
