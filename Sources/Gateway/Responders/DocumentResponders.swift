import HTTPServer

/// `OPTIONS *`, and `OPTIONS /`: what the server as a whole takes.
struct ServerResponder: Responder {
  var methods: HTTPMethod.Set { .fetchAndSubmit }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    throw Problem(.noSuchRoute, "\"*\" is no path; it is asked for with OPTIONS only.")
  }
}

/// `/live`: that the process works.
struct LiveResponder: Responder {
  private static let ok = Array(#"{"status":"ok"}"#.utf8)

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) { request.answer(200, "application/json", Self.ok) }
}

/// `/openapi.json` and `/openapi.yaml`: the interface of the gateway.
enum OpenAPIResponder: Responder {
  case json, yaml

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    switch self {
    case .json: request.answer(200, "application/json", OpenAPIDocument.json)
    case .yaml: request.answer(200, "application/yaml", OpenAPIDocument.yaml)
    }
  }
}

/// `/problems/{code}`: what a problem's code means.
struct ProblemPageResponder: Responder {
  let code: String

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard let page = ProblemPage.text(code) else {
      throw Problem(.noSuchRoute, "There is no problem of that name.")
    }
    request.answer(200, ProblemPage.contentType, Array(page.utf8))
  }
}
