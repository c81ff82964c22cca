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

  private let prefix: String
  private let upstreams: UpstreamTable
  private let scraper: Scraper?
  private let routes: RouteTrie
  private let document: OpenAPIDocument
  /// For callers who may not do everything: without routes of services.
  private let plainDocument: OpenAPIDocument

  /// Routes to these upstreams; `prefix` is what every path starts with, such as `/api`.
  init(_ upstreams: UpstreamTable, prefix: String = "", scraper: Scraper? = nil) {
    self.scraper = scraper
    self.upstreams = upstreams
    self.prefix = prefix
    routes = RouteTrie(upstreams)
    document = OpenAPIDocument(prefix: prefix, routes: upstreams.routes)
    plainDocument = OpenAPIDocument(prefix: prefix)
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
      throw Problem(.noSuchRoute, "Nothing is served at this path; paths start with \(prefix).")
    }
    let query = path.query
    do throws(Problem) {
      return Route(responder: try responder(method, target, name, &path, permissions), query: query)
    } catch {
      let problem = Self.wrongVerb(method, name, path.segments, error) ?? error
      throw permissions == nil || problem.status != 404 ? problem : problem.withoutHints
    }
  }

  private func responder(
    _ method: HTTPMethod, _ target: Span<UInt8>, _ name: String, _ path: inout TargetPath, _ permissions: Permissions?
  ) throws(Problem) -> any Responder {
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
      return try PublishResponder(service: service, topic: topic, method: method, in: upstreams)
    case ("jsonrpc", 2):
      let service = try path.takeService(target)
      try permissions?.check(reaching: service)
      return try JSONRPCResponder(service: service, in: upstreams)
    case ("sub", 2), ("sub", 3):
      return try subscription(method, target, name, &path, permissions)
    default: return try page(method, target, name, &path, permissions)
    }
  }

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
    let document = permissions == nil ? document : plainDocument
    if name == "metrics", path.segments == 1, let scraper {
      return MetricsResponder(upstreams: upstreams, scraper: scraper)
    }
    return switch (name, path.segments) {
    case ("batch", 1): BatchResponder(upstreams: upstreams)
    case ("calls", 2): CallsResponder(id: try path.takeText(target))
    case ("", 1): HomeResponder(upstreams: upstreams, prefix: prefix)
    case ("live", 1): LiveResponder()
    case ("ready", 1): ReadyResponder(upstreams: upstreams)
    case ("openapi.json", 1): OpenAPIResponder(contentType: "application/json", document: document.json)
    case ("openapi.yaml", 1): OpenAPIResponder(contentType: "application/yaml", document: document.yaml)
    case ("problems", 1): ProblemPageResponder(page: ProblemPage(prefix: prefix))
    case ("problems", 2): ProblemPageResponder(page: try problemPage(path.takeText(target)))
    default: try other(method, target, name, &path, permissions)
    }
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
    case ("sub", 2), ("problems", 2): (verbs, allow) = (.fetch, .fetch)
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
      if let match = routes.find(segments), try match.node.isThere(for: permissions, asking: method) {
        return RouteResponder(match, method)
      }
    }
    while segments.count < 10, let segment = try? path.takeText(target) { segments.append(segment) }
    let sentence = RouteHints.sentence(segments, routes.firstSegments, prefix: prefix) { upstreams.names(at: $0) }
    throw Problem(.noSuchRoute, "Nothing is served at this path; \(sentence)")
  }
}

/// The path of a target, read segment by segment, and the place of the query behind it.
///
/// A name of up to 15 bytes without escapes allocates nothing: a `String` holds as much in itself.
private struct TargetPath {
  /// How many segments there are, the prefix aside.
  let segments: Int
  /// Whether the path stands outside a prefix that is configured.
  let lacksPrefix: Bool
  let query: Range<Int>
  /// The slash before the next segment, or the end.
  private var position: Int
  private let end: Int

  init(_ target: Span<UInt8>, prefix: String) throws(Problem) {
    var end = target.count
    for index in target.indices {
      let byte = target[index]
      if byte == UInt8(ascii: "?"), end == target.count { end = index }
      guard Self.mayHold(byte) else {
        throw Problem(.badTarget, "Byte \(index) of the request target must be percent-encoded.")
      }
    }
    guard end > 0, target[0] == UInt8(ascii: "/") else {
      throw Problem(.badTarget, "A request target starts with \"/\".")
    }
    let start = Self.starts(target.extracting(..<end), with: prefix) ? prefix.utf8.count : 0
    var segments = 0
    for index in start..<end where target[index] == UInt8(ascii: "/") { segments += 1 }
    self.segments = segments
    self.end = end
    lacksPrefix = start < prefix.utf8.count
    query = min(end + 1, target.count)..<target.count
    position = start
  }

  /// What a target may hold (RFC 3986, 3.3 and 3.4): letters, digits and -._~!$&'()*+,;=:@/?% and, as browsers send them, brackets.
  private static func mayHold(_ byte: UInt8) -> Bool {
    let set: UInt64 = byte < 64 ? 0xAFFF_FFF2_0000_0000 : 0x47FF_FFFE_AFFF_FFFF
    return byte < 128 && set >> UInt64(byte & 63) & 1 == 1
  }

  private static func starts(_ path: Span<UInt8>, with prefix: String) -> Bool {
    guard prefix.utf8.count < path.count, path[prefix.utf8.count] == UInt8(ascii: "/") else { return false }
    var index = 0
    for byte in prefix.utf8 {
      if path[index] != byte { return false }
      index += 1
    }
    return true
  }

  private mutating func next(_ target: Span<UInt8>) throws(Problem) -> Range<Int> {
    guard position < end else { throw Self.noPath }
    let start = position + 1
    position = start
    while position < end, target[position] != UInt8(ascii: "/") { position += 1 }
    return start..<position
  }

  mutating func takeService(_ target: Span<UInt8>) throws(Problem) -> String {
    let name = try takeText(target)
    guard NameRules.isService(name.utf8.span) else {
      throw Problem(.noSuchService, "A service name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes.")
    }
    return name
  }

  mutating func takeMethod(_ target: Span<UInt8>) throws(Problem) -> MethodName {
    guard let name = MethodName(try takeText(target)) else {
      throw Problem(
        .notExposed,
        "A method name is letters, digits, \"_\", \".\" and \"-\", at most 255 bytes, and no part of it starts with \"_\"."
      )
    }
    return name
  }

  mutating func takeTopic(_ target: Span<UInt8>) throws(Problem) -> [UInt8] {
    let segment = try next(target)
    if segment.isEmpty { throw Problem(.badTarget, "A topic segment is not empty; \"-\" is the empty topic.") }
    if segment.count == 1, target[segment.lowerBound] == UInt8(ascii: "-") { return [] }
    if isDots(target.extracting(segment)) { throw Self.dots }
    guard let topic = PercentEncoding.decode(target, segment) else { throw Self.broken }
    if topic.count > NameRules.longestTopic {
      throw Problem(.badTarget, "A topic has at most \(NameRules.longestTopic) bytes, not \(topic.count).")
    }
    return topic
  }

  /// Takes a segment that is text. What its escapes stand for must pass the checks that plain text has to: no dot segment, no
  /// slash, no control byte.
  mutating func takeText(_ target: Span<UInt8>) throws(Problem) -> String {
    let segment = try next(target)
    let raw = target.extracting(segment)
    var isEscaped = false
    for index in raw.indices where raw[index] == UInt8(ascii: "%") { isEscaped = true }
    guard isEscaped else {
      if isDots(raw) { throw Self.dots }
      return raw.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
    guard let decoded = PercentEncoding.decode(target, segment),
      let text = String(validating: decoded, as: UTF8.self)
    else { throw Self.broken }
    if isDots(decoded.span) { throw Self.dots }
    for byte in decoded where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "/") {
      throw Problem(.badTarget, "An escape in the path stands for a control byte or a slash.")
    }
    return text
  }

  private func isDots(_ segment: Span<UInt8>) -> Bool {
    guard 1...2 ~= segment.count else { return false }
    for index in segment.indices where segment[index] != UInt8(ascii: ".") { return false }
    return true
  }

  private static let dots = Problem(.badTarget, "A path has no \".\" and \"..\" segments.")
  private static let broken = Problem(
    .badTarget,
    "A percent sign in the path is not followed by two hexadecimal digits, or the bytes it stands for are not UTF-8.")
  private static let noPath = Problem(.noSuchRoute, "The target of the request is no path.")
}
