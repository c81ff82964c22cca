import HTTPServer

/// From the head of a request to the service it is for, or to the reason why not.
extension GatewayRequest {
  func resolve() throws(Refusal) {
    if exchange.method == .options, exchange.target.elementsEqual("*".utf8) { return }
    let target = try exchange.target.bytes { bytes throws(Refusal) in try Target(bytes, prefix: handler.prefix) }
    route = target.route
    query = target.query
    if handler.isDraining, target.route.isService {
      throw Refusal(.draining, "The gateway is stopping; another one may answer.")
    }
    switch target.route {
    case .rpc(let service, let method):
      guard case .rpc(let backend)? = handler.backends[service] else { throw unknown(service, "rpc") }
      self.backend = .rpc(backend)
      let decision = try allowed(method, backend.policy)
      try check(target.route, isSafe: decision == .safe)
      try checkAccept("application/json")
    case .push(let service, let method):
      guard case .pipeline(let backend)? = handler.backends[service] else { throw unknown(service, "pipeline") }
      self.backend = .pipeline(backend)
      _ = try allowed(method, backend.policy)
      try check(target.route)
    case .pub(let service, _, let method):
      guard case .pubsub(let backend)? = handler.backends[service], backend.publisher != nil else {
        throw unknown(service, "pubsub service that can be published to")
      }
      self.backend = .pubsub(backend)
      _ = try allowed(method, backend.policy)
      try check(target.route)
    case .sub(let service):
      guard case .pubsub(let backend)? = handler.backends[service], backend.feed != nil else {
        throw unknown(service, "pubsub service that can be subscribed to")
      }
      self.backend = .pubsub(backend)
      try check(target.route)
      try checkAccept("text/event-stream")
    case .live, .openAPIJSON, .openAPIYAML, .problem:
      try check(target.route)
    }
  }

  private func allowed(_ method: String, _ policy: MethodPolicy) throws(Refusal) -> MethodPolicy.Decision {
    let decision = policy.decision(for: method)
    if decision == .hidden { throw Refusal(.notExposed, "\"\(method)\" is not exposed by this service.") }
    return decision
  }

  private func check(_ route: Route, isSafe: Bool = false) throws(Refusal) {
    try route.check(Verbs(exchange.method), isSafe: isSafe)
  }

  private func checkAccept(_ type: StaticString) throws(Refusal) {
    // A preflight or a refusal of the verb has its own answer.
    guard exchange.method != .options, !MediaType.accepts(exchange.header(.accept), type) else { return }
    throw Refusal(.notAcceptable, "This is answered as \(type); name it in Accept, or leave Accept out.")
  }

  private func unknown(_ service: String, _ pattern: String) -> Refusal {
    let known = handler.backends.keys.contains(service)
    return Refusal(
      .noSuchService, known ? "\"\(service)\" is no \(pattern)." : "There is no service \"\(service)\" here.")
  }

  /// Whether the body is JSON, by its declared type.
  func checkContentType() throws(Refusal) {
    let body = exchange.body
    guard !body.isEmpty else { return }
    let type = exchange.header(.contentType).map(MediaType.body)
    switch type {
    case .json?: return
    case .form?:
      // A form of a foreign page arrives with an Origin; curl and its kind send none.
      let isForeign = exchange.header(.origin) != nil || exchange.header(.secFetchSite) != nil
      let first = body.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
      if !isForeign, first == UInt8(ascii: "[") || first == UInt8(ascii: "{") { return }
    case .other?, nil: break
    }
    throw Refusal(
      .unsupportedMediaType, "Send the arguments as a JSON array or object, with Content-Type: application/json.")
  }
}

extension Route {
  /// Whether a service answers, and not the gateway itself.
  fileprivate var isService: Bool {
    switch self {
    case .rpc, .push, .pub, .sub: true
    case .live, .openAPIJSON, .openAPIYAML, .problem: false
    }
  }
}

extension Verbs {
  init(_ method: HTTPMethod) {
    switch method {
    case .get: self = .get
    case .head: self = .head
    case .post: self = .post
    case .options: self = .options
    case .put, .delete, .patch, .other: self = []
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Lends the bytes as a span.
  func bytes<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(Span(_unsafeElements: assumingMemoryBound(to: UInt8.self)))
  }
}
