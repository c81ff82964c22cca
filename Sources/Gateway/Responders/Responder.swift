import HTTPServer

/// What answers the requests of one route. The one place to add a route: a type here, and a line in `Router`.
///
/// The router makes it for each request, complete with the upstream and the names the request is about; kept within three
/// words, it costs no allocation.
protocol Responder {
  /// The methods of HTTP it takes, OPTIONS among them, which is answered without it.
  var methods: HTTPMethod.Set { get }
  /// Whether it is served while the gateway stops, because it tells of the gateway itself.
  var isOperation: Bool { get }
  /// As how many requests it counts against the limits of a client.
  var cost: Int { get }
  /// As what metrics count its requests.
  var kind: RouteKind { get }
  /// Why a method of HTTP is refused that is not among `methods`.
  func refusal(of method: HTTPMethod) -> Problem
  /// The head is there, its method one of `methods`: refuses what cannot succeed, before the body is read.
  func begin(_ request: GatewayRequest) throws(Problem)
  /// The same, after `begin`, for a body that is long, or is sent only when the client is asked for it: refuses what else is wrong with the
  /// head, which `respond` would find when the body is there.
  func beginUnread(_ request: GatewayRequest) throws(Problem)
  /// The request is complete: answers it, now or later, exactly once, or throws what it is answered with.
  func respond(to request: GatewayRequest) throws(Problem)
  /// Those of `methods` that its caller may use, as far as a service has decided that.
  func methods(for request: GatewayRequest) -> HTTPMethod.Set
  /// A request has ended so: counts what only this knows of it.
  func count(_ outcome: RequestOutcome)
}

extension Responder {
  var isOperation: Bool { false }
  var cost: Int { 1 }
  var kind: RouteKind { .operation }
  func count(_ outcome: RequestOutcome) {}
  func methods(for request: GatewayRequest) -> HTTPMethod.Set { methods }

  func refusal(of method: HTTPMethod) -> Problem { .methodNotAllowed(of: methods) }

  func begin(_ request: GatewayRequest) throws(Problem) {}

  func beginUnread(_ request: GatewayRequest) throws(Problem) { _ = try request.query(.nothing) }
}

extension Problem {
  /// A path takes these methods, and was asked with another one.
  static func methodNotAllowed(of methods: HTTPMethod.Set) -> Problem {
    Problem(.methodNotAllowed, "This path takes \(methods.allow).", allow: methods.allow)
  }
}

extension HTTPMethod.Set {
  /// What can be fetched.
  static let fetch: HTTPMethod.Set = [.get, .head, .options]
  /// What is handed over.
  static let submit: HTTPMethod.Set = [.post, .options]
  /// Both.
  static let fetchAndSubmit: HTTPMethod.Set = [.get, .head, .post, .options]
}

extension GatewayRequest {
  /// Answers OPTIONS with the methods that are taken here.
  func answer(options methods: HTTPMethod.Set, headers: [(StaticString, String)]) {
    answer(204, "", headers: [("Allow", methods.allow)] + headers, UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
