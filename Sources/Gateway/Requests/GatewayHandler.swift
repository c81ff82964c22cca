import HTTPServer
import Logging
import MessagePack
import Reactor
import Tracing
import ZeroMQRPC

/// Where a shard's requests arrive. `begin` sees a request's head: the checks and the responder that the router finds refuse what they
/// can. `handle` has the whole request: the responder answers it, or begins what will (for a call,
/// `PendingReply`); the exchange then keeps the connection suspended until the answer comes.
///
/// What goes wrong is a `Problem`. One that is found in the head is answered in `handle`, when a short body has arrived, which
/// keeps the connection, or at once before a long one, which closes it. One that is found later is answered where it is found:
/// in `handle`, or by the `PendingReply`. What the HTTP layer rejects is answered in `refused`.
final class GatewayHandler: RequestHandler {
  /// What paths start with, such as `/api`.
  let prefix: String
  private let scope: Router.Scope
  /// The buffers that arguments and results of this shard are transcoded in.
  let buffers = TranscodingBuffers()
  /// What is remembered of calls beyond their requests.
  let calls: RememberedCalls
  /// The books of calls that are no requests of their own.
  let callBooks = CallBooks()
  /// What is asked of the service of `auth.decision`.
  let decisions: Decisions
  /// What requests that begin are served with. It is replaced as a whole when the configuration changes.
  @exclusivity(unchecked) private(set) var serving: Serving
  /// Whose clock tells how long requests take; nil before the shard has been opened.
  @exclusivity(unchecked) private var loop: Loop?
  private let logger: Logger
  /// Where it is told how requests have ended; nil where it is not.
  private let accessLog: AccessLog?
  /// Who else looks on at requests; nil when nobody does.
  let readers: RequestNotes.Readers?
  private var accessLines: AccessLines?
  /// Whether the gateway stops, though this goes on answering.
  var isStopping = false
  /// What has become of the requests so far.
  @exclusivity(unchecked) private(set) var accounts = Accounts()
  @exclusivity(unchecked) private(set) var counters = RequestCounters()
  /// Requests that a limit has refused.
  private var limited = PowerOfTwoCounter()

  init(
    _ http: Configuration.HTTP, _ calls: RememberedCalls, scope: Router.Scope = .everything,
    accessLog: AccessLog? = nil, tracer: (any Tracer)? = nil, decisions: Decisions, logger: Logger
  ) {
    self.accessLog = accessLog
    self.decisions = decisions
    let readers = RequestNotes.Readers(
      log: accessLog != nil, tracer: tracer, serverTiming: http.serverTiming && scope != .operations)
    self.readers = readers.isEmpty ? nil : readers
    self.scope = scope
    prefix = scope == .operations ? "" : http.prefix
    self.calls = calls
    self.logger = logger
    let first = Checks(scope == .operations ? http.ofOperations : http, .init())
    serving = Serving(Router(UpstreamTable(), prefix: prefix), first)
  }

  /// Requests that begin from now on are for these upstreams and pass these checks; without, those there were. `scraper` asks all shards
  /// what they have counted. Returns what requests were served with so far.
  @discardableResult
  func use(_ upstreams: UpstreamTable, _ checks: Checks? = nil, _ scraper: Scraper? = nil, on loop: Loop) -> Serving {
    let former = serving
    let checks = checks ?? former.checks
    self.loop = loop
    if accessLines == nil { accessLines = accessLog.map { AccessLines($0, on: loop) } }
    let router = Router(
      upstreams, prefix: prefix, scope: scope, tellsCallersApart: checks.tellsCallersApart, scraper: scraper)
    serving = Serving(router, checks)
    return former
  }

  /// Tells of no more requests.
  func close() { accessLines.take()?.close() }

  /// The head is there: find out whether the request can be served at all.
  func begin(_ exchange: Exchange) {
    let request = accept(exchange)
    do throws(Problem) {
      let route = try route(request)
      let decides = decisions.isOn
      try request.serving.checks.pass(request, route.responder, isToBeDecided: decides)
      // Which verbs a route has for its caller is known when it is decided.
      guard route.responder.methods.contains(exchange.method) || decides && route.responder.kind == .route else {
        throw route.responder.refusal(of: exchange.method)
      }
      // A body that is too long gets 413 from the exchange.
      if request.isFetch, exchange.announcesBody, !exchange.isBodyTooLong {
        throw Self.bodyOfGET
      }
      let responder = route.responder
      request.goes(to: route)
      if responder.kind != .operation { request.notes?.beginTrace(request) }
      // OPTIONS is answered with the methods, whatever the rest of the head asks for.
      guard exchange.method != .options else { return }
      try responder.begin(request)
      if request.isRefusedAtOnce, !exchange.isBodyTooLong { try responder.beginUnread(request) }
    } catch {
      // Answered when the body is there, which keeps the connection, or at once.
      request.goesNowhere(decisions.isOn ? error.withoutHints : error)
      request.notes?.beginTrace(request)
      // What there is may be told only when it is decided, which waits for the body.
      if request.isRefusedAtOnce, error.code.tellsNothing || !decisions.isOn { request.answer(error) }
    }
  }

  /// Finds what answers the request. One that nothing does counts against the limits of its client as others do.
  private func route(_ request: GatewayRequest) throws(Problem) -> Router.Route {
    do throws(Problem) {
      try request.serving.checks.admit(request)
      if request.isPreflight { return .server }
      let target = request.exchange.target.assumingMemoryBound(to: UInt8.self)
      return try request.serving.router.route(request.method, target.span, for: request.permissions)
    } catch {
      try request.serving.checks.count(request)
      throw error
    }
  }

  private static let bodyOfGET = Problem(
    .badRequest, "A GET has no body; its arguments go in the query: ?name=text&other:=3, or ?arg=text for the first.")

  /// The request is complete: answer it, or leave that to what the responder has begun.
  func handle(_ exchange: Exchange) {
    let request = request(exchange)
    request.bodyIsComplete()
    // Safe: the request holds what holds this, and lets go of it before it is freed.
    if decisions.isOn { return DecisionCheck().check(request) { [unowned request] in self.serve(request) } }
    serve(request)
  }

  private func serve(_ request: GatewayRequest) {
    let exchange = request.exchange
    do throws(Problem) {
      let responder = try request.responder
      guard exchange.method != .options else {
        let methods = responder.methods(for: request)
        return request.answer(options: methods, headers: request.serving.checks.headers(ofOptions: request))
      }
      // What it costs beyond the one that was counted tells of a method that is there.
      if request.decision != nil, responder.cost > 1 { try request.countsItem(responder.cost) }
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
    request.serving.ended()
    if let notes = request.notes {
      notes.trace?.end(request, end, notes)
      accessLines?.add(request, notes, end, after: now - request.beginning)
    }
    let problem: Problem
    switch end {
    case .answered(let status):
      count(request, RequestOutcome(status: status))
      return accounts.answered += 1
    case .abandoned:
      count(request, .abandoned)
      return accounts.abandoned += 1
    case .refused(let refusal): problem = refusal
    }
    count(request, RequestOutcome(status: problem.status))
    counters.count(problem.code)
    if problem.sent { accounts.failed += 1 } else { accounts.refused += 1 }
    if problem.code == .internal {
      logger.error(
        "bug of the gateway", metadata: ["request-id": "\(problem.requestID)", "detail": "\(problem.detail)"])
    }
    if problem.code == .overloaded || problem.code == .replyTooLarge, limited.increment() {
      logger.warning(
        "a limit refuses requests or their answers",
        metadata: ["limit": "\(problem.detail)", "so-far": .stringConvertible(limited.count)])
    }
    logger.debug(
      "problem",
      metadata: [
        "code": "\(problem.code.rawValue)", "status": .stringConvertible(problem.status),
        "request-id": "\(problem.requestID)",
        "instance": "\(problem.instance)",
      ])
  }

  private func count(_ request: GatewayRequest, _ outcome: RequestOutcome) {
    let responder = request.knownResponder
    responder?.count(outcome)
    counters.count(
      responder?.kind ?? .none, outcome, after: now.nanoseconds - request.beginning.nanoseconds,
      in: request.notes?.trace?.place)
  }

  /// Whose thread this is on.
  var reactor: Reactor? { loop?.reactor }

  private var now: Instant { loop?.now ?? Instant(nanoseconds: 0) }

  /// Counts a request, before anything can end it.
  private func accept(_ exchange: Exchange) -> GatewayRequest {
    let request = request(exchange)
    request.begins(at: now, with: serving)
    serving.checks.receive(request)
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
