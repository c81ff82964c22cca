import HTTPServer

/// `/ready`: whether this shard can serve calls: each required service has a connection, and the gateway is not stopping.
/// `/ready?verbose` lists the services.
struct ReadyResponder: Responder {
  let upstreams: UpstreamTable

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    let isVerbose = request.rawQuery.elementsEqual("verbose".utf8)
    guard isVerbose || request.rawQuery.isEmpty else {
      throw Problem(.unknownParameter, "This path takes ?verbose and nothing else.")
    }
    let missing = upstreams.services.filter { $0.isRequired && !$0.upstream.isReady }.map { "\"\($0.name)\"" }
    guard missing.isEmpty, !request.isGatewayStopping else {
      var problem = Problem(
        .notReady,
        request.isGatewayStopping
          ? "The gateway is stopping."
          : "There is no connection to \(missing.joined(separator: ", ")).")
      if isVerbose { problem.services = services() }
      throw problem
    }
    var json = JSONWriter()
    json.open("{")
    json.member("status", "ready")
    if isVerbose {
      json.key("services")
      json.raw(services())
    }
    json.close("}")
    request.answer(200, "application/json", json.bytes)
  }

  /// Each service by its name.
  private func services() -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    for service in upstreams.services {
      json.key(service.name)
      json.open("{")
      json.member("required", service.isRequired)
      json.member("connected", service.upstream.isReady)
      json.close("}")
    }
    json.close("}")
    return json.bytes
  }
}
