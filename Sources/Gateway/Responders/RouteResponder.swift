import HTTPServer

/// A REST route: a call whose arguments are the typed parts of a path, a query and a body.
struct RouteResponder: Responder {
  private let match: RouteTrie.Match
  /// By their verbs, those that lead to what the caller may call by the rules.
  private let routes: [HTTPMethod: RouteTrie.ServiceRoute]
  /// The route of the verb; nil when the path has none for it.
  private let route: RouteTrie.ServiceRoute?
  /// The verbs that are taken, with HEAD where GET is.
  let methods: HTTPMethod.Set

  /// Nil when the path has no route for a caller with these permissions.
  init?(_ match: RouteTrie.Match, _ method: HTTPMethod, for permissions: Permissions?) {
    routes = match.node.routes(for: permissions)
    guard !routes.isEmpty else { return nil }
    self.match = match
    route = routes[method == .head ? .get : method]
    methods = Self.methods(of: routes)
  }

  private static func methods(of routes: [HTTPMethod: RouteTrie.ServiceRoute]) -> HTTPMethod.Set {
    let verbs = routes.keys + [.options]
    return HTTPMethod.Set(routes[.get] == nil ? verbs : verbs + [.head])
  }

  var cost: Int { route.map { $0.upstream.settings(of: $0.method).cost } ?? 1 }
  var kind: RouteKind { .route }
  /// The path as the configuration has it.
  var template: String? { route?.route.template }
  func count(_ outcome: RequestOutcome) { if let route { route.upstream.count(route.method, outcome) } }

  func methods(for request: GatewayRequest) -> HTTPMethod.Set {
    guard let decision = request.decision else { return methods }
    return Self.methods(of: routes.filter { decision.allows(.call($1.method.text, of: $1.service)) })
  }

  func begin(_ request: GatewayRequest) throws(Problem) {
    if let route { try CallResponder(route.upstream, route.method).begin(request) }
  }

  func beginUnread(_ request: GatewayRequest) throws(Problem) {
    guard let route else { return }
    let query = try request.query(.arguments, controls: CallResponder.controls) ?? Query()
    _ = try RouteArguments(route.route, match.values, query)
    try CallResponder.beginUnread(request, query)
  }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard let route else { throw .methodNotAllowed(of: methods(for: request)) }
    let controls = request.isFetch ? CallResponder.fetchControls : CallResponder.controls
    let query = try request.query(.arguments, controls: controls) ?? Query()
    let isPacked = request.isFetch ? false : try request.isBodyPacked()
    let buffers = request.buffers
    defer { buffers.clear() }
    let arguments = try RouteArguments(route.route, match.values, query)
    let frames = try arguments.read(request.body, isPacked: isPacked, route.upstream.reader, into: &buffers.request)
    try CallResponder(route.upstream, route.method).call(request, query, frames)
  }
}
