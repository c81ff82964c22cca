import GatewaySecurity
import HTTPServer
import MessagePack
import Reactor

/// Work that has begun for a request and will answer it.
protocol PendingWork: AnyObject {
  /// The client has left: stop, and do not answer.
  func cancel()
}

/// A request as responders see it: what it asks for, and the ways to answer it, exactly once. There is one object for a
/// connection, used again for each request on it.
final class GatewayRequest {
  /// How a request ends.
  enum End {
    /// With what it asked for; of a stream, its beginning.
    case answered(status: Int)
    case refused(Problem)
    /// The client left before the answer.
    case abandoned
  }

  /// It holds this object in its `context`, and lets go of it when the connection is closed.
  let exchange: Exchange
  private let handler: GatewayHandler
  @exclusivity(unchecked) private var destination = Destination.unknown
  /// What it is served with.
  @exclusivity(unchecked) private(set) var serving: Serving
  /// When its head was there.
  @exclusivity(unchecked) private(set) var beginning = Instant(nanoseconds: 0)
  @exclusivity(unchecked) private var work: (any PendingWork)?  // Like all here, it changes while no other code runs.
  /// What is noted of it for those who look on; nil where nobody does.
  @exclusivity(unchecked) private(set) var notes: RequestNotes?
  /// Bytes of its body, once it is complete, and of its answer; of a stream, none.
  @exclusivity(unchecked) private(set) var bytesIn = 0, bytesOut = 0
  /// Whether it has arrived, and has not ended.
  @exclusivity(unchecked) private(set) var isUnderWay = false
  /// Whether a page of another origin asks that `http.cors` lists, and whether it may have a browser send along what that keeps for here.
  @exclusivity(unchecked) private(set) var isOfListedOrigin = false, mayListedBringCredentials = false
  /// Whose request it is; nil where nobody is told apart.
  @exclusivity(unchecked) private(set) var caller: Caller?
  /// What it was opened with in the place of a key, if it was.
  @exclusivity(unchecked) private(set) var ticket: Ticket?
  /// What was decided of it; nil where nothing is.
  @exclusivity(unchecked) private(set) var decision: RequestDecision?
  /// What its client may still ask for; nil where nothing is limited, or the request is not counted.
  @exclusivity(unchecked) private(set) var allowance: Allowance?
  /// What the connection has shown last: the key, and the quota of its address once it was asked for.
  @exclusivity(unchecked) var shownKey: ShownKey?, addressQuota: ClientQuota?
  /// What the result is written as, once `chooseResultFormat` has found out.
  @exclusivity(unchecked) private(set) var resultFormat = ResultFormat.json
  /// What the connection's plain calls wait in.
  private(set) lazy var pendingReply = PendingReply(self)

  init(_ exchange: Exchange, handler: GatewayHandler) {
    self.exchange = exchange
    self.handler = handler
    serving = handler.serving
    notes = handler.readers.map(RequestNotes.init)
  }

  /// Says that a request has arrived, and what it is served with.
  func begins(at now: Instant, with serving: Serving) {
    if serving !== self.serving { (addressQuota, shownKey) = (nil, nil) }
    self.serving = serving
    serving.began()
    (bytesIn, bytesOut) = (0, 0)
    notes?.begin(self)
    beginning = now
    isUnderWay = true
    destination = .unknown
    isOfListedOrigin = false
    (caller, ticket, allowance, decision) = (nil, nil, nil, nil)
  }

  /// Says that a page asks of an origin that is listed, and whether a browser may send along what it keeps for the gateway.
  func comesFromListedOrigin(withCredentials: Bool) {
    (isOfListedOrigin, mayListedBringCredentials) = (true, withCredentials)
  }

  /// Says whose request it is.
  func comes(from caller: Caller, with ticket: Ticket? = nil) { (self.caller, self.ticket) = (caller, ticket) }

  /// Counts as so many requests of a client; throws when that may not send it yet.
  func counts(_ cost: Int, against quota: ClientQuota, of limiter: ClientLimiter) throws(Problem) {
    allowance = Allowance(quota, of: limiter)
    try allowance?.take(cost, at: beginning)
  }

  /// Counts one of the calls that it consists of.
  func countsItem(_ cost: Int) throws(Problem) { try allowance?.takeItem(cost, at: beginning) }

  /// Says what decides whether it may do what it wants.
  func isDecided(by decision: RequestDecision) { self.decision = decision }

  /// Says that the body is complete.
  func bodyIsComplete() { bytesIn = exchange.body.count }

  /// Says, when the head is there, where the request goes.
  func goes(to route: consuming Router.Route) { destination = .route(route) }

  /// Says, when the head is there, why the request goes nowhere.
  func goesNowhere(_ problem: Problem) { destination = .nowhere(problem) }

  // MARK: Reading

  var method: HTTPMethod { exchange.method }
  /// Whether the method is GET or HEAD, whose body would mean nothing (RFC 9110, 9.3.1 and 9.3.2).
  var isFetch: Bool { method == .get || method == .head }
  /// What answers the request; throws why nothing does.
  var responder: any Responder {
    get throws(Problem) { try destination.responder }
  }
  /// What answers the request, if its head has got so far.
  var knownResponder: (any Responder)? { destination.route?.responder }
  /// The body; empty before the request is complete.
  var body: UnsafeRawBufferPointer { exchange.body }
  var buffers: TranscodingBuffers { handler.buffers }
  var callBooks: CallBooks { handler.callBooks }
  var decisions: Decisions { handler.decisions }
  /// Whether it has got so far that what it is answered tells of what there is.
  var isToBeDecided: Bool {
    if case .nowhere(let problem) = destination { !problem.code.tellsNothing } else { !isPreflight }
  }
  /// Where bodies and answers count until they are read.
  var memory: MemoryBudget { exchange.memory }
  var tickets: TicketTable<Ticket>? { serving.checks.tickets }
  /// Whose thread it is on, while that is there.
  var reactor: Reactor? { handler.reactor }
  /// What is remembered of calls beyond their requests.
  var calls: RememberedCalls { handler.calls }
  /// What its caller may do; nil: everything.
  var permissions: Permissions? { caller?.permissions }
  /// Whether its caller may hear that there is this service.
  func mayName(_ service: ShardService) -> Bool { permissions?.mayReach(service.configuration) ?? true }
  /// Whether what it begins may be remembered beyond its answer: most requests ask for nothing of that.
  var mayBeRemembered: Bool { !isFetch && (header(.idempotencyKey) != nil || header(.prefer) != nil) }
  /// Whether the gateway takes no new work.
  var isGatewayStopping: Bool { exchange.isServerQuiesced || handler.isStopping }
  /// Whether a refusal waits for no body, and so closes: it may be long, or its client waits to be asked for it.
  var isRefusedAtOnce: Bool {
    exchange.count(of: .expect) > 0 && exchange.announcesBody || exchange.count(of: .transferEncoding) > 0
      || exchange.isBodyTooLong || (exchange.header(.contentLength)?.drop { $0 == UInt8(ascii: "0") }.count ?? 0) > 5
  }

  /// The first value of a header, without blanks around it.
  func header(_ name: KnownHeader) -> UnsafeRawBufferPointer? { exchange.header(name) }

  /// The values of all lines of that name, which are one list.
  func values(of name: KnownHeader) -> [UnsafeRawBufferPointer] { exchange.values(of: name) }

  /// The host that is asked; nil when the request names none.
  var host: Authority? { exchange.host.map(Authority.init) }

  /// Whether a browser asks for a page of a listed origin what it may send (Fetch, "CORS-preflight request").
  var isPreflight: Bool { method == .options && isOfListedOrigin && header(.accessControlRequestMethod) != nil }

  /// The query as the client wrote it, without the `?`.
  var rawQuery: UnsafeRawBufferPointer {
    guard let route = destination.route else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: exchange.target[route.query])
  }

  /// The query, read: the control parameters that are understood here, and what else it may hold; nil when it is empty.
  func query(_ content: Query.Content, controls: Set<String> = []) throws(Problem) -> Query? {
    let raw = rawQuery
    return raw.isEmpty ? nil : try Query(raw.assumingMemoryBound(to: UInt8.self).span, content, controls: controls)
  }

  /// Finds out what the client wants the result to be written as; refuses one that wants neither JSON nor MessagePack.
  func chooseResultFormat() throws(Problem) {
    resultFormat = .json
    guard let accept = header(.accept) else { return }
    if exchange.count(of: .accept) == 1, accept.isCaseless("*/*") || accept.isCaseless("application/json") { return }
    guard let format = MediaType.wanted(exchange.values(of: .accept)) else {
      throw Problem(
        .notAcceptable,
        "This is answered as application/json or application/msgpack; name one in Accept, or leave Accept out.")
    }
    resultFormat = format
  }

  /// Turns the body into arguments in the shard's buffer: JSON, or MessagePack, as its declared type says.
  func transcodeBody(_ reader: JSONToMessagePack) throws(Problem) -> CallFrames {
    let isPacked = try isBodyPacked()
    do throws(TranscodingError) {
      guard isPacked else { return try reader.transcodeCall(body, into: &buffers.request) }
      return try MessagePackArguments(reader).passCall(body, into: &buffers.request)
    } catch {
      throw Problem(arguments: error)
    }
  }

  /// Refuses a body that is not JSON, by its declared type.
  func checkContentType(isUnread: Bool = false) throws(Problem) {
    guard try isBodyPacked(isUnread: isUnread) else { return }
    throw Problem(.unsupportedMediaType, "Send JSON, with Content-Type: application/json.")
  }

  /// Whether the body is MessagePack, or else JSON, by its declared type; one that is neither is refused. An empty one needs no type. Of one
  /// that is `isUnread` only the head is known: it is taken to be what may yet be served.
  func isBodyPacked(isUnread: Bool = false) throws(Problem) -> Bool {
    let type = header(.contentType)
    let isEmpty = isUnread ? mayBodyBeEmpty : body.isEmpty
    guard !isEmpty, type?.isCaseless("application/json") != true else { return false }
    switch type.map(MediaType.body) {
    case .json?: return false
    case .messagePack?: return true
    case .form?:
      // A form of a foreign page arrives with an Origin; curl and its kind send none.
      let isForeign = header(.origin) != nil || header(.secFetchSite) != nil
      let first = body.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
      if !isForeign, isUnread || first == UInt8(ascii: "[") || first == UInt8(ascii: "{") { return false }
    case .other?, nil: break
    }
    throw Problem(
      .unsupportedMediaType,
      "Send the arguments as a JSON array or object, with Content-Type: application/json, or in MessagePack, with"
        + " application/msgpack.")
  }

  /// Whether the head leaves open that the body is empty. A client that waits to be asked for one has one.
  private var mayBodyBeEmpty: Bool { header(.contentLength) == nil && exchange.count(of: .expect) == 0 }

  // MARK: Answering

  /// Answers with bytes, which are copied unless an owner keeps them.
  func answer(
    _ status: Int, _ type: StaticString, headers: [(StaticString, String)] = [], _ body: UnsafeRawBufferPointer,
    keptBy owner: AnyObject? = nil
  ) {
    work = nil
    bytesOut = body.count
    exchange.respond(status, contentType: type, headers: told(headers), body: body, keptBy: owner)
    ended(.answered(status: status))
  }

  /// Answers with bytes.
  func answer(_ status: Int, _ type: StaticString, headers: [(StaticString, String)] = [], _ body: [UInt8]) {
    body.withUnsafeBytes { answer(status, type, headers: headers, $0) }
  }

  /// Answers with a stream, which from then on lives with the exchange.
  func answer(_ status: Int, _ type: StaticString, headers: [(StaticString, String)], stream: any BodyStream) {
    work = nil
    exchange.respond(status, contentType: type, headers: told(headers), stream: stream)
    ended(.answered(status: status))
  }

  /// Answers with a problem document.
  func answer(_ problem: Problem) {
    let problem = problem.at(occurrence)
    problem.json(prefix: occurrence.prefix).withUnsafeBytes { answer(problem, document: $0) }
  }

  /// Where a problem occurs that this request is answered with.
  var occurrence: Problem.Occurrence {
    let path = UnsafeRawBufferPointer(rebasing: exchange.target.prefix { $0 != UInt8(ascii: "?") })
    return Problem.Occurrence(
      prefix: handler.prefix, path: String(decoding: path, as: UTF8.self), requestID: exchange.requestID)
  }

  /// Answers with a problem whose document is written already. It is copied unless an owner keeps it.
  func answer(
    _ problem: Problem, document: UnsafeRawBufferPointer, headers: [(StaticString, String)] = [],
    keptBy owner: AnyObject? = nil
  ) {
    work = nil
    bytesOut = document.count
    exchange.respond(
      problem.status, contentType: Problem.contentType, headers: told(problem.headers + headers), body: document,
      keptBy: owner)
    ended(.refused(problem))
  }

  /// With what every answer tells of the limits of its client, and of its call.
  private func told(_ headers: [(StaticString, String)]) -> [(StaticString, String)] {
    let limits = allowance?.headers ?? []
    let headers = headers.isEmpty ? limits : headers + limits
    return notes?.serverTiming.map { headers + $0 } ?? headers
  }

  /// The answer comes later, from this work.
  func waits(for work: any PendingWork) { self.work = work }

  /// The client left before the answer.
  func abandon() {
    work?.cancel()
    work = nil
    ended(.abandoned)
  }

  private func ended(_ end: End) {
    isUnderWay = false
    handler.ended(self, end)
  }
}
