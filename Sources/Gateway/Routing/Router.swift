import HTTPServer

/// Finds the responder for a request: one line for each route.
///
/// A responder is returned complete, with the upstream and the names it answers for, so nothing is looked up again later. A
/// target that leads nowhere throws the problem that says why.
final class Router {
  /// Where a request goes.
  struct Route {
    let responder: any Responder
    /// Where the query stands in the target, without its `?`; empty when there is none.
    let query: Range<Int>

    /// To no path, but to the server as a whole.
    static var server: Route { Route(responder: ServerResponder(), query: 0..<0) }
  }

  /// What is served at an address to listen on.
  enum Scope {
    /// Everything but what needs an address for operations.
    case everything
    /// Services; of operations, what probes ask for.
    case services
    /// Operations alone.
    case operations
  }

  private let prefix: String
  private let scope: Scope
  private let upstreams: UpstreamTable
  private let scraper: Scraper?
  private let routes: RouteTrie
  private let documents: ServedDocument

  /// Routes to these upstreams; `prefix` is what every path starts with, such as `/api`, and `tellsCallersApart` says whether there is a
  /// way to say who calls.
  init(
    _ upstreams: UpstreamTable, prefix: String = "", scope: Scope = .everything, tellsCallersApart: Bool = false,
    scraper: Scraper? = nil
  ) {
    self.scope = scope
    self.scraper = scraper
    self.upstreams = upstreams
    self.prefix = prefix
    routes = RouteTrie(upstreams)
    documents = ServedDocument(upstreams, prefix: prefix, tellsCallersApart: tellsCallersApart)
  }

  /// Takes the target as the client wrote it, undecoded. `permissions` are the caller's; nil: everything. What they do not allow is refused
  /// before it is looked for.
  func route(
    _ method: HTTPMethod, _ target: Span<UInt8>, for permissions: Permissions? = nil
  ) throws(Problem) -> Route {
    // `OPTIONS *` names no path: it asks what the server as a whole takes.
    if method == .options, target.count == 1, target[0] == UInt8(ascii: "*") {
      return .server
    }
    var path = try TargetPath(target, prefix: prefix)
    let name = try path.takeText(target)
    // Probes ask for these two whatever the prefix is.
    if path.lacksPrefix, name != "live", name != "ready" {
      let sentence = RouteHints.forProbe(name, segments: path.segments) ?? "paths start with \(prefix)/."
      throw Problem(.noSuchRoute, "Nothing is served at this path; \(sentence)")
    }
    let query = path.query
    do throws(Problem) {
      return Route(responder: try responder(method, target, name, &path, permissions), query: query)
    } catch {
      let problem = Self.wrongVerb(method, name, path.segments, error) ?? error
      throw problem.told(to: permissions)
    }
  }

  private func responder(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> any Responder {
    if scope == .operations { return try operation(name, &path, target) }
    // Most requests are calls.
    if path.segments == 3, name == "rpc" {
      let (service, method) = (try path.takeService(target), try path.takeMethod(target))
      try permissions?.check(calling: method.text, of: service)
      return try CallResponder(service: service, method: method, in: upstreams)
    }
    switch (name, path.segments) {
    case ("push", 3):
      let (service, method) = (try path.takeService(target), try path.takeMethod(target))
      try permissions?.check(calling: method.text, of: service)
      return try PushResponder(service: service, method: method, in: upstreams)
    case ("pub", 4):
      let (service, topic) = (try path.takeService(target), try path.takeTopic(target))
      let method = try path.takeMethod(target)
      try permissions?.check(publishing: method.text, on: topic, of: service)
      return try PublishResponder(service: service, topic: topic, method: method, for: permissions, in: upstreams)
    case ("jsonrpc", 2):
      let service = try path.takeService(target)
      try permissions?.check(callingSomethingOf: service)
      return try JSONRPCResponder(service: service, in: upstreams)
    case ("sub", 2), ("sub", 3):
      return try subscription(method, target, name, &path, permissions)
    default: return try page(method, target, name, &path, permissions)
    }
  }

  /// What the target names, in step with `responder`: what is wanted is decided before it is looked for. A target that names nothing
  /// rightly throws as it does there.
  func named(
    _ method: HTTPMethod, _ target: Span<UInt8>, for permissions: Permissions?
  ) throws(Problem) -> NamedTarget {
    if scope == .operations || method == .options && target.count == 1 { return .nothing }
    var path = try TargetPath(target, prefix: prefix)
    let name = try path.takeText(target)
    if path.lacksPrefix { return .nothing }
    let query = path.query
    switch (name, path.segments) {
    case ("rpc", 3), ("push", 3):
      let (service, method) = (try path.takeService(target), try path.takeMethod(target).text)
      let wish: Wish = name == "rpc" ? .call(method, of: service) : .push(method, of: service)
      return .wishes([wish], else: .refusedByDecision)
    case ("pub", 4):
      let (service, topic) = (try path.takeService(target), try path.takeTopic(target))
      let wish = Wish.publish(try path.takeMethod(target).text, on: topic, of: service)
      return .wishes([wish], else: .refusedByDecision)
    case ("jsonrpc", 2): return .document(try path.takeService(target))
    case ("sub", 2): return .stream(try path.takeService(target), query: query)
    case ("sub", 3):
      let last = try lastSegment(target, path)
      let service = try path.takeService(target)
      if last == "topics" { return .wishes([.subscribe([], of: service)], else: .refusedByDecision) }
      return last == "last" ? .lastEvent(service, query: query) : .nothing
    case ("batch", 1): return .batch
    case ("tickets", 1): return .ticket
    default: return try namedRoute(method, target, name, &path, permissions)
    }
  }

  /// The calls that a REST route leads to; of a verb that none has, and OPTIONS, those of all that have the path.
  private func namedRoute(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> NamedTarget {
    guard routes.mayFind(name, segments: path.segments) else { return .nothing }
    var segments = [name]
    while segments.count < path.segments { segments.append(try path.takeText(target)) }
    guard let found = routes.find(segments)?.node.routes(for: permissions), !found.isEmpty else { return .nothing }
    let verb = method == .head ? HTTPMethod.get : method
    let asked = found[verb].map { [$0] } ?? Array(found.values)
    // It is as if it did not exist.
    return .wishes(asked.map { .call($0.method.text, of: $0.service) }, else: nothing(at: segments).withoutHints)
  }

  /// Whether REST routes are served here.
  var hasRoutes: Bool { scope != .operations && !routes.firstSegments.isEmpty }

  /// How many calls one request may have.
  var longestBatch: Int { upstreams.longestBatch }

  /// What the items of a batch want, those that say it.
  func batchWishes(_ body: UnsafeRawBufferPointer) -> [Wish] { BatchResponder(upstreams: upstreams).wishes(body) }

  private func subscription(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> any Responder {
    let last = path.segments == 3 ? try lastSegment(target, path) : ""
    guard ["", "topics", "last"].contains(last), path.segments == 2 || !last.isEmpty else {
      return try other(method, target, name, &path, permissions)
    }
    let service = try path.takeService(target)
    let access = try permissions?.topics(of: service)
    return switch last {
    case "topics": try TopicsResponder(service: service, seeing: access, in: upstreams)
    case "last": try LastValueResponder(service: service, seeing: access, in: upstreams)
    default: try StreamResponder(service: service, seeing: access, in: upstreams)
    }
  }

  private func page(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> any Responder {
    if scope == .everything, path.segments == 1, let operation = overview(name) { return operation }
    if name == "-", path.segments == 2 {
      var rest = path
      if try rest.takeText(target) == "limits" { return LimitsResponder() }
    }
    return switch (name, path.segments) {
    case ("batch", 1): BatchResponder(upstreams: upstreams)
    case ("tickets", 1): TicketsResponder(upstreams: upstreams)
    case ("calls", 2): try call(path.takeText(target))
    case ("", 1): HomeResponder(upstreams: upstreams, prefix: prefix)
    case ("live", 1): LiveResponder()
    case ("ready", 1): ReadyResponder(upstreams: upstreams, tellsServices: scope == .everything)
    case ("openapi.json", 1):
      OpenAPIResponder(contentType: "application/json", document: documents.document(for: permissions).json)
    case ("openapi.yaml", 1):
      OpenAPIResponder(contentType: "application/yaml", document: documents.document(for: permissions).yaml)
    case ("docs", 1): DocsResponder(file: .page)
    case ("docs", 2): DocsResponder(file: try docsFile(path.takeText(target)))
    case ("problems", 1): ProblemPageResponder(page: ProblemPage(prefix: prefix))
    case ("problems", 2): ProblemPageResponder(page: try problemPage(path.takeText(target)))
    default: try other(method, target, name, &path, permissions)
    }
  }

  /// What tells of the gateway as a whole.
  private func overview(_ name: String) -> (any Responder)? {
    guard let scraper else { return nil }
    return switch name {
    case "metrics": MetricsResponder(upstreams: upstreams, scraper: scraper)
    case "status": StatusResponder(upstreams: upstreams, scraper: scraper)
    default: nil
    }
  }

  private func operation(
    _ name: String, _ path: inout TargetPath, _ target: Span<UInt8>
  ) throws(Problem) -> any Responder {
    switch (name, path.segments) {
    case ("live", 1): return LiveResponder()
    case ("ready", 1): return ReadyResponder(upstreams: upstreams, tellsServices: true)
    case ("problems", 1): return ProblemPageResponder(page: ProblemPage(prefix: prefix))
    case ("problems", 2): return ProblemPageResponder(page: try problemPage(path.takeText(target)))
    case ("-", 2):
      if try path.takeText(target) == "reload", let scraper { return ReloadResponder(operations: scraper.operations) }
    case (_, 1): if let responder = overview(name) { return responder }
    default: break
    }
    throw Problem(
      .noSuchRoute, "Only operations are served here: /live, /ready, /status and /metrics, and POST /-/reload.")
  }

  private func call(_ id: String) throws(Problem) -> CallsResponder {
    guard !id.isEmpty else { throw Problem(.noSuchRoute, "A call is asked for by its id: \(prefix)/calls/{id}.") }
    return CallsResponder(id: id)
  }

  private func docsFile(_ name: String) throws(Problem) -> DocsFile {
    guard let file = DocsFile(rawValue: name), file != .page else {
      throw Problem(.noSuchRoute, "The page at \(prefix)/docs has no file of that name.")
    }
    return file
  }

  private func problemPage(_ code: String) throws(Problem) -> ProblemPage {
    guard let page = ProblemPage(code) else { throw Problem(.noSuchRoute, "There is no problem of that name.") }
    return page
  }

  /// What stands behind the service in a path, which says what is asked of it.
  private func lastSegment(_ target: Span<UInt8>, _ path: TargetPath) throws(Problem) -> String {
    var path = path
    _ = try path.takeText(target)
    return try path.takeText(target)
  }

  /// A verb that no path of this shape takes is told so before what the path names is looked for: another verb comes first then.
  private static func wrongVerb(_ method: HTTPMethod, _ name: String, _ segments: Int, _ error: Problem) -> Problem? {
    let (verbs, allow): (HTTPMethod.Set, HTTPMethod.Set)
    switch (name, segments) {
    case ("rpc", 3): (verbs, allow) = (.fetchAndSubmit, .submit)
    case ("push", 3), ("pub", 4), ("jsonrpc", 2): (verbs, allow) = (.submit, .submit)
    case ("sub", 2), ("problems", 2), ("docs", 2): (verbs, allow) = (.fetch, .fetch)
    // A path that leads nowhere, whatever the service, takes no verb.
    case ("sub", 3) where error.code != .noSuchRoute: (verbs, allow) = (.fetch, .fetch)
    default: return nil
    }
    guard error.status == 404, !verbs.contains(method) else { return nil }
    return Problem(.methodNotAllowed, "This path takes \(allow.allow).", allow: allow.allow)
  }

  /// A REST route, if one leads from here.
  private func other(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> any Responder {
    var segments = [name]
    if routes.mayFind(name, segments: path.segments) {
      while segments.count < path.segments { segments.append(try path.takeText(target)) }
      // One that may not be called is as if it did not exist: its path names nothing that could be refused.
      if let match = routes.find(segments), let responder = RouteResponder(match, method, for: permissions) {
        return responder
      }
    }
    while segments.count < 10, let segment = try? path.takeText(target) { segments.append(segment) }
    if scope == .services, name == "-" || segments.count == 1 && overview(name) != nil {
      throw Problem(.noSuchRoute, "Operations are not served here, but at the address that http.admin names.")
    }
    throw nothing(at: segments)
  }

  private func nothing(at segments: [String]) -> Problem {
    let sentence = RouteHints.sentence(segments, routes.firstSegments, prefix: prefix) { upstreams.names(at: $0) }
    return Problem(.noSuchRoute, "Nothing is served at this path; \(sentence)")
  }
}
