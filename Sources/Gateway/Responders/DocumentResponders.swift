import HTTPServer

/// `OPTIONS *`: what the server as a whole takes. And what a browser asks before it sends the request of a page of another origin: such a
/// preflight is answered for all paths alike, so that the page gets the problem of one that leads nowhere.
struct ServerResponder: Responder {
  /// Those of REST routes among them.
  var methods: HTTPMethod.Set { [.get, .head, .post, .put, .patch, .delete, .options] }
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
struct OpenAPIResponder: Responder {
  let contentType: StaticString
  let document: [UInt8]

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    // It is what this caller may use.
    request.answer(200, contentType, headers: [("Cache-Control", "no-store")], document)
  }
}

/// `/problems`, and `/problems/{code}`: what the codes of problems mean.
struct ProblemPageResponder: Responder {
  let page: ProblemPage

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    let isHTML = MediaType.prefers("text/html", over: "text/markdown", in: request.values(of: .accept))
    request.answer(
      200, isHTML ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8", headers: [("Vary", "Accept")],
      Array((isHTML ? page.html : page.markdown).utf8))
  }
}
