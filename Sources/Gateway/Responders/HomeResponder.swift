import HTTPServer

/// `/`: what is served here. A browser gets a page that shows it, with forms to try each service, and whoever else asks gets it as JSON,
/// which the page reads too.
struct HomeResponder: Responder {
  let upstreams: UpstreamTable
  let prefix: String

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    let accept = request.values(of: .accept)
    let vary: (StaticString, String) = ("Vary", "Accept")
    if MediaType.prefers(Page.type, over: Page.json, in: accept) {
      let headers: [(StaticString, String)] = [
        ("Content-Security-Policy", Page.policy), ("Cache-Control", "no-cache"), vary,
      ]
      return request.answer(200, Page.contentType, headers: headers, PackageResources.console_html)
    }
    // It is what this caller may use.
    request.answer(200, Page.json, headers: [("Cache-Control", "no-store"), vary], document(for: request))
  }

  private func document(for request: GatewayRequest) -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.key("services")
    json.open("[")
    for service in upstreams.services where request.mayName(service) { append(service, for: request, to: &json) }
    json.close("]")
    json.key("links")
    json.open("{")
    for (name, path) in Page.links { json.member(name, prefix + path) }
    json.close("}")
    json.close("}")
    return json.bytes
  }

  private func append(_ service: ShardService, for request: GatewayRequest, to json: inout JSONWriter) {
    let reached = service.reached(with: request.permissions)
    json.open("{")
    json.member("name", service.name)
    switch service.upstream {
    case .rpc:
      json.member("pattern", "rpc")
      json.member("call", "\(prefix)/rpc/\(service.name)/{method}")
      json.append(reached.methods, tellsSafety: true)
      json.append(routes: reached.routes, prefix: prefix)
    case .pipeline:
      json.member("pattern", "pipeline")
      json.member("push", "\(prefix)/push/\(service.name)/{method}")
      json.append(reached.methods, tellsSafety: false)
    case .pubsub(let upstream):
      json.member("pattern", "pubsub")
      if upstream.publishing != nil {
        json.member("publish", "\(prefix)/pub/\(service.name)/{topic}/{method}")
        json.append(reached.methods, tellsSafety: false)
      }
      if reached.hasEvents { json.member("subscribe", "\(prefix)/sub/\(service.name)") }
    }
    json.appendState(of: service, showsAddresses: request.exchange.isServerLoopback)
    json.close("}")
  }

  /// The page, which needs nothing from elsewhere.
  private enum Page {
    static let type: StaticString = "text/html"
    static let contentType: StaticString = "text/html; charset=utf-8"
    static let json: StaticString = "application/json"
    static let links = [
      ("docs", "/docs"), ("openapi", "/openapi.json"), ("problems", "/problems"), ("live", "/live"),
      ("ready", "/ready"),
    ]
    /// It runs the one script and has the one style that stand in it, by their SHA-256, and asks nobody but the gateway (CSP level 3).
    static let policy =
      "default-src 'none'; script-src 'sha256-D89iefyibrWWuM7xcz8LrGDyedVKTlaARzB2W2NB35Y='; "
      + "style-src 'sha256-5SKxK61kGgXFa3R3jxZ24pSNOM62TYQkbmOcHCDQ8PI='; img-src data:; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }
}

extension JSONWriter {
  fileprivate mutating func append(_ methods: [KnownMethod], tellsSafety: Bool) {
    key("methods")
    open("[")
    for method in methods {
      open("{")
      member("name", method.name.text)
      if tellsSafety { member("safe", method.isSafe) }
      if let description = method.description { append(description) }
      close("}")
    }
    close("]")
  }

  /// What the console makes a form of.
  private mutating func append(_ description: ServiceDescription.Method) {
    if let text = description.text { member("text", text) }
    key("parameters")
    open("[")
    for parameter in description.parameters {
      open("{")
      member("name", parameter.name)
      member("kind", parameter.kind.rawValue)
      member("required", parameter.isRequired)
      if !parameter.type.isEmpty { member("type", parameter.type) }
      key("schema")
      raw(PythonType(parameter.type).schema(fallback: parameter.fallback))
      close("}")
    }
    close("]")
  }

  fileprivate mutating func append(routes: [Configuration.Route], prefix: String) {
    key("routes")
    open("[")
    for route in routes {
      open("{")
      member("verb", "\(route.verb.name)")
      member("path", prefix + route.template)
      member("method", route.method)
      close("}")
    }
    close("]")
  }
}
