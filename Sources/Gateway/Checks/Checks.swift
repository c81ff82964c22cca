import GatewaySecurity
import HTTPServer

/// What a request passes before the router, and between the router and its responder: the one seam in front of responders.
///
/// What the caller may do depends on names, and is checked where these are read, with the caller's `Permissions`: in the router, and for
/// each item of a batch.
///
/// The checks run in the order in which they stand here. Each is a small value with a `check` of its own; a new one is a property and
/// a line. One that is not configured is nil, and costs nothing.
///
/// It is asked several times for each request, so it is an object: to hand a value of that size on would cost a count for each of its parts.
final class Checks {
  private let host: HostCheck
  private let cors: CORSPolicy?
  private let crossSite = CrossSiteCheck()
  private let authentication: AuthenticationCheck?
  private let limits: LimitsCheck?
  private let proxies: TrustedProxies?
  private let draining = DrainingCheck()

  init(_ http: Configuration.HTTP, _ auth: Configuration.Auth, _ access: Access = .open) {
    host = HostCheck(hosts: http.hosts)
    cors = CORSPolicy(http.cors)
    authentication = AuthenticationCheck(access.callers, auth, prefix: http.prefix)
    let proxies = TrustedProxies(http)
    self.proxies = proxies
    limits = access.limiter.map { LimitsCheck(limiter: $0, proxies: proxies) }
  }

  /// Where tickets come from; nil where nobody is told apart.
  var tickets: TicketTable<Ticket>? { authentication?.tickets }

  /// Whether there is a way to say who calls.
  var tellsCallersApart: Bool { authentication != nil }

  /// From where a request comes, as far as proxies are believed; nil when that is not known.
  func client(of request: GatewayRequest) -> ClientAddress? {
    proxies?.client(of: request) ?? request.exchange.clientAddress
  }

  /// A request's head is there, sound or not: says what every answer to it has.
  func receive(_ request: GatewayRequest) { cors?.receive(request) }

  /// Throws the problem of a request that is refused wherever it leads.
  func admit(_ request: GatewayRequest) throws(Problem) {
    try host.check(request)
    try crossSite.check(request)
    try authentication?.check(request)
  }

  /// Throws the problem of a request that leads nowhere, and comes too early for that too.
  func count(_ request: GatewayRequest) throws(Problem) { try limits?.check(request, cost: 1) }

  /// Throws the problem of a request that is refused where it leads. What tells of the gateway itself is not counted. One that is to be
  /// decided counts as one that leads nowhere does, and as what it costs when it is served.
  func pass(_ request: GatewayRequest, _ responder: any Responder, isToBeDecided: Bool) throws(Problem) {
    let isServed = request.method != .options && responder.methods.contains(request.method)
    let cost = isServed && !isToBeDecided ? responder.cost : 1
    try limits?.check(request, cost: responder.isOperation ? 0 : cost)
    try draining.check(request, responder)
  }

  /// What OPTIONS is answered with besides the methods.
  func headers(ofOptions request: GatewayRequest) -> [(StaticString, String)] {
    if request.isPreflight, let cors { cors.preflightHeaders } else { [] }
  }
}

/// A gateway that stops takes no new work; what is under way goes on.
struct DrainingCheck {
  func check(_ request: GatewayRequest, _ responder: any Responder) throws(Problem) {
    guard request.isGatewayStopping, !responder.isOperation else { return }
    throw Problem(.draining, "The gateway is stopping; another one may answer.")
  }
}
