public import ConfigurationReader
import GatewaySecurity
import HTTPServer
import Reactor

/// Everything a gateway is told before it starts: a value, checked when it is read from YAML.
///
/// ```swift
/// var configuration = Configuration()
/// configuration.services = [
///   .init("math", .rpc(.init(connect: [try Endpoint("tcp://127.0.0.1:5555")])))
/// ]
/// ```
public struct Configuration: Sendable, Hashable {
  /// Where and how HTTP is served.
  public var http = HTTP()
  /// How long a stop waits for calls in flight and open streams (default: 25 s).
  public var grace: Duration = .seconds(25)
  /// Whether `auth: none` was written out: required to listen beyond loopback (default: false).
  public var isOpenToAll = false
  /// Who may call, and what.
  public var auth = Auth()
  /// How much one client may ask for.
  public var limits = ClientLimits()
  /// What callers learn of remote exceptions unless the service says otherwise (default: `auto`).
  public var errors = Errors(expose: .auto)
  /// What goes to standard error.
  public var log = Log()
  /// How requests are traced; nil: a `traceparent` is only passed on to methods that are told who calls (default).
  public var tracing: Tracing?
  /// What is kept of calls made with `Prefer: respond-async`.
  public var asynchronous = Async()
  /// What is kept of requests with an `Idempotency-Key`.
  public var idempotency = Idempotency()
  /// The services, in the order of the file, their names unique (default: none).
  public var services: [Service] = []

  /// A configuration of nothing but defaults.
  public init() {}

  /// Reads and checks the text of a YAML file.
  ///
  /// Variables in `${NAME}` come from `environment`, and so do `ZMQ_GATEWAY_HTTP_LISTEN` and
  /// `ZMQ_GATEWAY_HTTP_THREADS`, which beat the file; `overrides`, the flags of a command, beat both. Throws everything
  /// that is wrong, each with its line in `file`.
  public static func load(
    yaml: String, file: String, environment: [String: String] = [:], overrides: Overrides = .init()
  ) throws(ConfigurationErrors) -> Configuration {
    try load(yaml: yaml, file: file, overrides: overrides, Diagnostics(file: file, environment: environment))
  }

  /// The same, with what is found and asked for on the way.
  static func load(
    yaml: String, file: String, overrides: Overrides, _ diagnostics: Diagnostics
  ) throws(ConfigurationErrors) -> Configuration {
    let environment = diagnostics.environment
    let variables = Overrides(environment: environment, diagnostics)
    var configuration = Configuration()
    var places: [Place] = []
    var bound: [BoundEndpoint] = []
    if let root = YAMLDocument(yaml, diagnostics).root {
      places = configuration.read(root, &bound, in: Self.folder(of: file), diagnostics)
    }
    let isListenOverridden = variables.listen != nil || overrides.listen != nil
    let merged = configuration.merging(variables).merging(overrides)
    merged.check(listening: isListenOverridden ? [] : places, bound: bound, diagnostics)
    try diagnostics.finish()
    return merged
  }

  /// Takes each key of the file; returns where each address to listen on stands, and adds the endpoints to bind.
  private mutating func read(
    _ root: Section, _ bound: inout [BoundEndpoint], in folder: String, _ diagnostics: Diagnostics
  ) -> [Place] {
    var places: [Place] = []
    if let section = root.section("http") { places = http.read(section, in: folder) }
    auth.certificates = http.tls?.authorities
    // That they cannot be read was told, and is all that is to be told of it.
    if http.tls == nil, http.saysWhoIsTrusted { auth.certificates = ClientAuthorities(certificates: "") }
    root.read("grace", into: &grace) { $0.duration(in: .zero ... .hours(1)) }
    let decision = root.field("auth").flatMap { readAuth($0, in: folder, diagnostics) }
    if let section = root.section("errors") { errors.read(section) }
    if let section = root.section("log") { log.read(section) }
    if let section = root.section("tracing") {
      var tracing = Tracing()
      tracing.read(section)
      self.tracing = tracing
    }
    if let section = root.section("async") { asynchronous.read(section) }
    if let section = root.section("idempotency") { idempotency.read(section) }
    if let section = root.section("services") {
      var routes = RouteReader()
      let misplaced = section.keys.filter {
        ["pattern", "connect", "bind"].contains($0) && section.field($0)?.isMapping == false
      }
      for key in misplaced { section.report("indent it: it goes under the name of a service", at: key) }
      for name in section.keys where !misplaced.contains(name) {
        if let service = Service(name, in: section, of: folder, limits: http.limits, routes: &routes, bound: &bound) {
          services.append(service)
        }
      }
    }
    if let decision { auth.decision?.check(among: services, in: decision) }
    if let section = root.section("limits") {
      limits.read(section)
      let written = root.field("auth").flatMap { $0.isMapping ? $0.section() : nil }
      checkLimits(
        section,
        tellsCallersApart: written?.has("keys") == true || written?.has("jwt") == true || auth.certificates != nil)
    }
    root.ignoreExtensions()
    let services = (
      keys: root.keys.filter { root.has($0, with: "pattern") }, words: "indent it: a service goes under services"
    )
    root.finish(hints: [services] + Self.hints)
    return places
  }

  /// What to write for keys that stand elsewhere.
  private static let hints = [
    (keys: ["port"], words: "write http: { listen: \"127.0.0.1:8080\" }"),
    (["log-level", "log_level"], "write log: { level: debug }"),
    (["listen", "tls", "cors", "hosts", "prefix", "threads", "admin"], "it goes under http"),
    (["keys", "jwt", "rules"], "it goes under auth"), (["level", "access"], "it goes under log"),
    (["rate", "burst"], "it goes under limits"),
    (
      [
        "timeout", "max-timeout", "in-flight", "methods", "pattern", "connect", "bind", "routes", "queue",
        "queue-timeout", "retries", "hedge", "priorities", "breaker", "describe", "ext", "datetimes", "publish",
        "subscribe",
      ],
      "it goes under a service, in services"
    ),
  ]

  /// Reports what goes with nothing else: clients that cannot be told apart, and calls that could never be made.
  private func checkLimits(_ section: Section, tellsCallersApart: Bool) {
    if let per = limits.per, per != .address, !tellsCallersApart {
      section.report(
        "contradiction: without auth.keys, auth.jwt or http.tls.client-ca callers are told apart by their addresses only",
        at: "per")
    }
    guard let burst = limits.rateLimit?.burst else { return }
    for service in services {
      for (name, settings) in service.methods.settings.sorted(by: { $0.key < $1.key }) {
        guard let cost = settings.cost, cost > burst else { continue }
        section.report(
          "contradiction: \"\(name)\" of \(service.name) costs \(cost), and a client has no more than \(burst) at once; raise burst",
          at: section.has("burst") ? "burst" : "rate")
      }
    }
  }

  /// Returns where `auth.decision` stands, if it is there.
  private mutating func readAuth(_ field: Field, in folder: String, _ diagnostics: Diagnostics) -> Section? {
    if field.isMapping { return field.section().flatMap { auth.read($0, in: folder, diagnostics) } }
    guard let text = field.text("none, keys or jwt") else { return nil }
    if text != "none" { field.report("\"\(text)\" is not known; write \"none\", or a mapping with keys or jwt") }
    isOpenToAll = text == "none"
    // Whoever reaches the gateway may call, with a certificate or without.
    if isOpenToAll { auth.certificates = nil }
    return nil
  }

  /// With its slash; empty where paths need no folder.
  private static func folder(of file: String) -> String {
    file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
  }

  /// Throws what shows only when all settings are known; `source` is named as where they come from. A file was checked when it was read;
  /// what a program has made is checked so.
  func check(as source: String) throws(ConfigurationErrors) {
    let diagnostics = Diagnostics(file: source, environment: [:])
    check(listening: [], diagnostics)
    try diagnostics.finish()
  }

  /// Reports what shows only when all settings are known, such as listening beyond this machine without `auth: none`.
  /// `places` are those of the addresses in the file; none when they come from elsewhere. `bound` are the endpoints to bind in the file.
  func check(listening places: [Place], bound: [BoundEndpoint] = [], _ diagnostics: Diagnostics) {
    if !HTTP.threadRange.contains(http.threads) {
      diagnostics.report(.outside, "http.threads", "must be between 0 and 256")
    }
    if http.listen.isEmpty { diagnostics.report(.outside, "http.listen", "needs at least one address") }
    // Of those in the file it was told where they are read.
    for (index, address) in http.listen.enumerated() {
      guard let fault = HTTP.doubling(address, among: http.listen[..<index]) else { continue }
      diagnostics.report(.outside, "http.listen", fault)
    }
    if let admin = http.admin {
      if http.listen.contains(where: { $0.isSame(as: admin) && admin.port != 0 }) {
        diagnostics.report(.outside, "http.admin", "\(admin) is listed in http.listen too; give it another port")
      }
      if !admin.isLoopback, !isOpenToAll, !auth.tellsCallersApart {
        diagnostics.report(
          .outside, "http.admin",
          "\(admin) is reachable from other machines; name those who may look in auth.keys, auth.jwt or http.tls.client-ca, write \"auth: none\", or use 127.0.0.1:\(admin.port)"
        )
      }
    }
    BoundEndpoint.check(bound, listening: http.listen + (http.admin.map { [$0] } ?? []))
    for (index, address) in http.listen.enumerated()
    where !address.isLoopback && !isOpenToAll && !auth.tellsCallersApart {
      diagnostics.report(
        places.indices.contains(index) ? places[index] : .outside, "http.listen",
        "\(address) is reachable from other machines; name those who may call in auth.keys, auth.jwt or http.tls.client-ca, or write \"auth: none\" to serve everyone who reaches it"
      )
    }
  }
}
