import HTTPServer

/// `OPTIONS *`: what the server as a whole takes.
struct ServerResponder: Responder {
  /// Those of REST routes among them.
  var methods: HTTPMethod.Set { [.get, .head, .post, .put, .patch, .delete, .options] }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    throw Problem(.noSuchRoute, "\"*\" is no path; it is asked for with OPTIONS only.")
  }
}

/// `OPTIONS /`: that nothing else is taken there.
struct RootResponder: Responder {
  var methods: HTTPMethod.Set { [.options] }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) { throw Problem(.noSuchRoute, "Nothing is served here.") }
}

/// `/live`: that the process works.
struct LiveResponder: Responder {
  private static let ok = Array(#"{"status":"ok"}"#.utf8)

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) { request.answer(200, "application/json", Self.ok) }
}

/// `/openapi.json` and `/openapi.yaml`: the interface of the gateway.
struct OpenAPIResponder: Responder {
  let contentType: StaticString
  let document: [UInt8]

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) { request.answer(200, contentType, document) }
}

/// `/problems/{code}`: what a problem's code means.
struct ProblemPageResponder: Responder {
  let page: String

  init(code: String) throws(Problem) {
    guard let page = ProblemPage.text(code) else { throw Problem(.noSuchRoute, "There is no problem of that name.") }
    self.page = page
  }

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    request.answer(200, ProblemPage.contentType, Array(page.utf8))
  }
}
