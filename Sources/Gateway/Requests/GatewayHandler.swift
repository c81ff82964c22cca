import HTTPServer
import Logging
import MessagePack
import ZeroMQRPC

/// Where a shard's requests arrive. `begin` sees a request's head: the router finds its responder, and the checks and the
/// responder refuse what they can. `handle` has the whole request: the responder answers it, or begins what will (for a call,
/// `PendingReply`); the exchange then keeps the connection suspended until the answer comes.
///
/// What goes wrong is a `Problem`. One that is found in the head is answered in `handle`, when a short body has arrived, which
/// keeps the connection, or at once before a long one, which closes it. One that is found later is answered where it is found:
/// in `handle`, or by the `PendingReply`. What the HTTP layer rejects is answered in `refused`.
final class GatewayHandler: RequestHandler {
  /// What paths start with, such as `/api`.
  let prefix: String
  /// The buffers that arguments and results of this shard are transcoded in.
  let buffers = TranscodingBuffers()
  /// What is remembered of calls beyond their requests.
  let calls: RememberedCalls
  /// The books of calls that are no requests of their own.
  let callBooks = CallBooks()
  /// Finds responders among the upstreams in use. It is replaced as a whole when they change.
  @exclusivity(unchecked) private var router: Router
  private let checks: Checks
  private let logger: Logger
  /// What has become of the requests so far.
  @exclusivity(unchecked) private(set) var accounts = Accounts()
  /// Requests that a limit has refused.
  private var limited = PowerOfTwoCounter()

  init(_ http: Configuration.HTTP, _ calls: RememberedCalls, logger: Logger) {
    prefix = http.prefix
    self.calls = calls
    checks = Checks(http)
    self.logger = logger
    router = Router(UpstreamTable(), prefix: prefix)
  }

  /// Requests that begin from now on are for these upstreams.
  func use(_ upstreams: UpstreamTable) { router = Router(upstreams, prefix: prefix) }

  /// The head is there: find out whether the request can be served at all.
  func begin(_ exchange: Exchange) {
    let request = accept(exchange)
    do throws(Problem) {
      try checks.admit(request)
      let route = try router.route(exchange.method, exchange.target.assumingMemoryBound(to: UInt8.self).span)
      try checks.pass(request, route.responder)
      guard route.responder.methods.contains(exchange.method) else {
        throw route.responder.refusal(of: exchange.method)
      }
      // A body that is too long gets 413 from the exchange.
      if request.isFetch, exchange.announcesBody, !exchange.isBodyTooLong {
        throw Self.bodyOfGET
      }
      let responder = route.responder
      request.goes(to: route)
      // OPTIONS is answered with the methods, whatever the rest of the head asks for.
      guard exchange.method != .options else { return }
      try responder.begin(request)
      if request.isRefusedAtOnce, !exchange.isBodyTooLong { try responder.beginUnread(request) }
    } catch {
      // Answered when the body is there, which keeps the connection, or at once.
      request.goesNowhere(error)
      if request.isRefusedAtOnce { request.answer(error) }
    }
  }

  private static let bodyOfGET = Problem(
    .badRequest, "A GET has no body; its arguments go in the query: ?name=text&other:=3, or ?arg=text for the first.")

  /// The request is complete: answer it, or leave that to what the responder has begun.
  func handle(_ exchange: Exchange) {
    let request = request(exchange)
    do throws(Problem) {
      let responder = try request.responder
      guard exchange.method != .options else { return request.answer(options: responder.methods) }
      try responder.respond(to: request)
    } catch {
      request.answer(error)
    }
  }

  /// The HTTP layer refuses the request: the answer is a problem document like any other.
  func refused(_ exchange: Exchange, _ rejection: Rejection) {
    let known = request(exchange)
    // One that is refused for its head has not been begun.
    let request = known.isUnderWay ? known : accept(exchange)
    request.answer(Problem(rejection))
  }

  /// The answer that is owed has no taker any more: the client has left, or used up its time.
  func abandoned(_ exchange: Exchange) { request(exchange).abandon() }

  /// Sees the end of every request, refused and abandoned ones too: they are counted here, and an access log has its place.
  func ended(_ request: GatewayRequest, _ end: GatewayRequest.End) {
    let problem: Problem
    switch end {
    case .answered: return accounts.answered += 1
    case .abandoned: return accounts.abandoned += 1
    case .refused(let refusal): problem = refusal
    }
    if problem.sent { accounts.failed += 1 } else { accounts.refused += 1 }
    if problem.code == .internal {
      logger.error(
        "bug of the gateway", metadata: ["request-id": "\(problem.requestID)", "detail": "\(problem.detail)"])
    }
    if problem.code == .overloaded || problem.code == .replyTooLarge, limited.increment() {
      logger.warning(
        "a limit refuses requests or their answers",
        metadata: ["limit": "\(problem.detail)", "so-far": "\(limited.count)"])
    }
    logger.debug(
      "problem",
      metadata: [
        "code": "\(problem.code.rawValue)", "status": "\(problem.status)", "request-id": "\(problem.requestID)",
        "instance": "\(problem.instance)",
      ])
  }

  /// Counts a request, before anything can end it.
  private func accept(_ exchange: Exchange) -> GatewayRequest {
    let request = request(exchange)
    request.begins()
    accounts.accepted += 1
    return request
  }

  /// The connection's own object, made with its first request.
  private func request(_ exchange: Exchange) -> GatewayRequest {
    if let request = exchange.context as? GatewayRequest { return request }
    let request = GatewayRequest(exchange, handler: self)
    exchange.context = request
    return request
  }
}

/// What a request passes before the router, and between the router and its responder.
///
/// The checks run in the order in which they stand here. Each is a small value with a `check` of its own; a new one is a property and
/// a line.
struct Checks {
  private let host: HostCheck
  private let crossSite = CrossSiteCheck()
  private let draining = DrainingCheck()

  init(_ http: Configuration.HTTP) { host = HostCheck(hosts: http.hosts) }

  /// Throws the problem of a request that is refused wherever it leads.
  func admit(_ request: GatewayRequest) throws(Problem) {
    try host.check(request)
    try crossSite.check(request)
  }

  /// Throws the problem of a request that is refused where it leads.
  func pass(_ request: GatewayRequest, _ responder: any Responder) throws(Problem) {
    try draining.check(request, responder)
  }
}

/// Whoever runs a foreign page can have the name of its host lead to this machine. The page and the gateway are then of one origin,
/// and the browser keeps nothing from the page (DNS rebinding). So the names that are served are listed; addresses and `localhost`
/// lead where they lead. A gateway that other machines reach serves all names until some are listed.
///
/// Until names are listed, programs may use any without a dot, such as a container's. Browsers may not: whoever answers for a search
/// domain has such a name lead where he likes.
struct HostCheck {
  let hosts: [String]

  func check(_ request: GatewayRequest) throws(Problem) {
    guard request.exchange.isServerLoopback || !hosts.isEmpty, let host = request.host else { return }
    if host.isLocal || host.isAddress || hosts.contains(where: host.isNamed) { return }
    if hosts.isEmpty, host.isSingleLabel, !mayBeBrowser(request) { return }
    if host.name.isEmpty { throw Problem(.misdirected, "The Host header names no host. Name the one that is asked.") }
    let name = String(decoding: host.name, as: UTF8.self).lowercased()
    throw Problem(
      .misdirected,
      "\"\(name)\" is no host that is served here. If it should be, add it to the configuration: http: { hosts: [\"\(name)\"] }"
    )
  }

  /// Browsers name the encodings that they can read, and no page can keep them from it, as it can from most else that they say (Fetch,
  /// "forbidden request-header").
  private func mayBeBrowser(_ request: GatewayRequest) -> Bool {
    request.header(.acceptEncoding) != nil || request.header(.origin) != nil || request.header(.secFetchSite) != nil
  }
}

/// What a page of another origin has a browser send may change nothing here, whether it has a body or not. Browsers say who asks,
/// in `Origin` and `Sec-Fetch-Site`; pages cannot change either, and other clients send neither. GET and HEAD are let through:
/// their answers are kept from the page. Origins that CORS lists will be let through as well.
struct CrossSiteCheck {
  func check(_ request: GatewayRequest) throws(Problem) {
    guard request.method != .get, request.method != .head else { return }
    if let origin = request.header(.origin), request.exchange.count(of: .origin) > 1 || !request.isOwn(origin) {
      let text = String(decoding: origin, as: UTF8.self)
      throw Problem(.crossSite, "A page of \"\(text)\" may not send this here: it is another origin than the host's.")
    }
    if let site = request.header(.secFetchSite),
      request.exchange.count(of: .secFetchSite) > 1 || !site.isCaseless("same-origin") && !site.isCaseless("none")
    {
      let text = String(decoding: site, as: UTF8.self)
      throw Problem(.crossSite, "A page of another origin may not send this here: Sec-Fetch-Site is \"\(text)\".")
    }
  }
}

/// A gateway that stops takes no new work; what is under way goes on.
struct DrainingCheck {
  func check(_ request: GatewayRequest, _ responder: any Responder) throws(Problem) {
    guard request.isGatewayStopping, !responder.isOperation else { return }
    throw Problem(.draining, "The gateway is stopping; another one may answer.")
  }
}

/// The buffers a shard transcodes in, used again for every request.
final class TranscodingBuffers {
  /// Memory that a buffer keeps. What it grew beyond that is given back after the request that needed it, even one that was
  /// refused and left nothing in it.
  private static let kept = 1 << 20

  /// Arguments on their way to a backend, as MessagePack.
  var request = ByteBuffer(capacity: 4_096)
  /// A result on its way to a client, as JSON.
  var reply = ByteBuffer(capacity: 4_096)

  /// Forgets what the last request left.
  func clear() {
    request.removeAll(keepingUpTo: Self.kept)
    reply.removeAll(keepingUpTo: Self.kept)
  }
}
