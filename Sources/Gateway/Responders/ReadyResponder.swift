import HTTPServer
import ZeroMQ
import ZeroMQRPC

/// `/ready`: whether this shard can serve calls: each required service has a connection, and the gateway is not stopping.
/// `/ready?verbose` lists the services and their endpoints.
struct ReadyResponder: Responder {
  let upstreams: UpstreamTable
  /// Whether `verbose` is taken: where operations have an address of their own, only there.
  let tellsServices: Bool

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    let isVerbose = try isVerbose(request.rawQuery)
    let missing = upstreams.services.filter { $0.isRequired && !$0.upstream.isReady }
    guard missing.isEmpty, !request.isGatewayStopping else {
      var problem = Problem(
        .notReady,
        request.isGatewayStopping
          ? "The gateway is stopping."
          : Self.sentence(missing.filter(request.mayName).map(\.name)))
      if isVerbose { problem.services = services(for: request) }
      throw problem
    }
    var json = JSONWriter()
    json.open("{")
    json.member("status", "ready")
    if isVerbose {
      json.key("services")
      json.raw(services(for: request))
    }
    json.close("}")
    request.answer(200, "application/json", json.bytes)
  }

  /// Says to which services there is no connection, as far as they may be named.
  private static func sentence(_ services: [String]) -> String {
    if services.isEmpty { return "There is no connection to a service that is required." }
    return "There is no connection to \(services.map { "\"\($0)\"" }.joined(separator: ", "))."
  }

  private func isVerbose(_ query: UnsafeRawBufferPointer) throws(Problem) -> Bool {
    if query.isEmpty { return false }
    guard tellsServices else {
      throw Problem(.unknownParameter, "This path takes no query here; ?verbose is for the address in http.admin.")
    }
    for yes in ["verbose", "verbose=true", "verbose=1"] where query.elementsEqual(yes.utf8) { return true }
    for no in ["verbose=false", "verbose=0"] where query.elementsEqual(no.utf8) { return false }
    throw Problem(.unknownParameter, "This path takes ?verbose and nothing else.")
  }

  /// Each service by its name. Where it is reached is for this machine to know: the addresses are left out of what is answered
  /// elsewhere, and with them the reasons in words, which may hold addresses.
  private func services(for request: GatewayRequest) -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    for service in upstreams.services where request.mayName(service) {
      json.key(service.name)
      json.open("{")
      json.appendState(of: service, showsAddresses: request.exchange.isServerLoopback)
      json.close("}")
    }
    json.close("}")
    return json.bytes
  }
}

extension JSONWriter {
  /// Members that tell whether a service is there, and where it is reached or why it is not.
  mutating func appendState(of service: ShardService, showsAddresses: Bool) {
    member("required", service.isRequired)
    member("connected", service.upstream.isReady)
    key("endpoints")
    open("[")
    for states in [service.shared.outgoing, service.shared.incoming] {
      guard let states else { continue }
      let leftAlone = service.shared.openBreakers.endpoints
      for report in states.reports {
        let isLeftAlone = states.role == .rpc && leftAlone.contains(report.endpoint)
        append(report, states.role, isLeftAlone: isLeftAlone, showsAddresses: showsAddresses)
      }
    }
    close("]")
  }

  private mutating func append(
    _ report: EndpointStates.Report, _ role: EndpointStates.Role, isLeftAlone: Bool, showsAddresses: Bool
  ) {
    open("{")
    member("role", role.rawValue)
    if showsAddresses { member("endpoint", report.endpoint.description) }
    member("state", report.isUp ? "up" : "down")
    if isLeftAlone { member("breaker", "open") }
    if let fault = report.fault {
      member("reason", fault.code.rawValue)
      if showsAddresses { member("detail", fault.description) }
    }
    close("}")
  }
}
