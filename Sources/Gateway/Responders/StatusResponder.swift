import HTTPServer
import Reactor
import ZeroMQ
import ZeroMQRPC

/// `/status`: how the gateway and what is behind it are, as JSON, or as a page that reads it.
struct StatusResponder: Responder {
  let upstreams: UpstreamTable
  let scraper: Scraper

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    try PendingScrape.check(request, upstreams)
    if MediaType.prefers("text/html", over: "application/json", in: request.values(of: .accept)) {
      return request.answer(
        200, "text/html; charset=utf-8", headers: StatusPage.headers, PackageResources.status_html)
    }
    PendingScrape.begin(request, scraper) { request, report in
      let document = StatusDocument(report, upstreams, scraper.operations, for: request)
      request.answer(
        200, "application/json", headers: [("Cache-Control", "no-store"), ("Vary", "Accept")], document.json)
    }
  }
}

/// What `/status` says.
struct StatusDocument {
  let report: ShardReport
  let services: [ShardService]
  let operations: Operations
  private let request: GatewayRequest
  /// Addresses, paths, and reasons that may hold them, are for this machine to know, and for who has a key.
  private var showsAddresses: Bool { request.exchange.isServerLoopback || request.caller != nil }

  init(_ report: ShardReport, _ upstreams: UpstreamTable, _ operations: Operations, for request: GatewayRequest) {
    self.report = report
    services = upstreams.services
    self.operations = operations
    self.request = request
  }

  var json: [UInt8] {
    var json = JSONWriter()
    json.open("{")
    appendProgram(to: &json)
    appendConfiguration(to: &json)
    appendCounts(to: &json)
    json.key("services")
    json.open("{")
    for service in services { append(service, to: &json) }
    json.close("}")
    json.close("}")
    return json.bytes
  }

  private func appendProgram(to json: inout JSONWriter) {
    json.member("version", "\(ZeroMQ.version)")
    json.member("libzmq", "\(ZeroMQ.libzmqVersion)")
    json.member("libmicrohttpd", Server.libraryRelease)
    json.member("startedAt", operations.startedAt.description)
    json.member("uptime", Int(WallTime.now.milliseconds - operations.startedAt.milliseconds) / 1_000)
    let missing = services.contains { $0.isRequired && !$0.upstream.isReady }
    json.member("state", request.isGatewayStopping ? "stopping" : missing ? "not-ready" : "ready")
    guard showsAddresses else { return }
    let addresses = operations.addresses
    json.key("listen")
    json.open("[")
    for address in addresses.listen { json.string(address.description) }
    json.close("]")
    if let admin = addresses.admin { json.member("admin", admin.description) }
  }

  private func appendConfiguration(to json: inout JSONWriter) {
    let record = operations.reloads.record
    json.key("configuration")
    json.open("{")
    json.key("reloads")
    json.open("{")
    json.member("succeeded", record.succeeded)
    json.member("failed", record.failed)
    json.close("}")
    if let at = record.at {
      json.key("last")
      json.open("{")
      json.member("at", at.description)
      json.member("result", record.fault == nil ? "success" : "failure")
      if let fault = record.fault, showsAddresses { json.member("error", fault) }
      if let outcome = record.outcome { json.append(outcome) }
      json.close("}")
    }
    json.close("}")
  }

  private func appendCounts(to json: inout JSONWriter) {
    let accounts = report.accounts
    json.key("requests")
    json.open("{")
    // The one that asks is no news, when it is counted with the others.
    for (name, count) in [
      ("answered", accounts.answered), ("refused", accounts.refused), ("failed", accounts.failed),
      ("abandoned", accounts.abandoned), ("inProgress", accounts.underWay - operations.requestsOfItsOwn),
    ] { json.member(name, count) }
    json.close("}")
    json.key("connections")
    append(report.openConnections?.count ?? 0, of: report.openConnections?.limit ?? 0, to: &json)
    json.key("memory")
    append(request.exchange.memory.count, of: request.exchange.memory.limit, to: &json)
  }

  private func append(_ service: ShardService, to json: inout JSONWriter) {
    let shared = service.shared
    json.key(service.name)
    json.open("{")
    json.appendState(of: service, showsAddresses: showsAddresses)
    if case .rpc = service.upstream {
      json.key("inFlight")
      append(shared.inFlight.count, of: shared.inFlight.limit, to: &json)
      json.key("queued")
      append(shared.waiting.count, of: shared.waiting.limit, to: &json)
    }
    if let streams = report.streams[service.name] { json.member("streams", streams) }
    json.member("memory", shared.memory.count)
    json.close("}")
  }

  private func append(_ count: Int, of limit: Int, to json: inout JSONWriter) {
    json.open("{")
    json.member("count", count)
    json.member("limit", limit)
    json.close("}")
  }
}

/// The page that shows `/status` to people.
private enum StatusPage {
  static let headers: [(StaticString, String)] = [
    ("Cache-Control", "no-store"), ("Vary", "Accept"),
    (
      "Content-Security-Policy",
      "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    ),
  ]
}
