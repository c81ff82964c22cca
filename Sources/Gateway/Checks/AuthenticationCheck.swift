import GatewaySecurity
import HTTPServer

/// Who may ask at all: whoever sends a key that `auth.keys` knows, or a token of an issuer of `auth.jwt`, as a bearer or as a password
/// (`curl -u :KEY`), or shows a certificate of those whom `http.tls.client-ca` names.
///
/// A request without one goes nowhere, so nothing is told of what is served. Probes need none for `/live` and `/ready`, nor does who
/// wants to know what a problem means.
struct AuthenticationCheck {
  private static let openPaths = ["/live", "/ready", "/problems"]

  private let lookup: CallerLookup
  let tickets: TicketTable<Ticket>
  private let ticketPath: TicketPath
  private let cookie: [UInt8]?
  private let crossSite = CrossSiteCheck()
  private let openPaths: [[UInt8]]
  /// All that is open below a path.
  private let openFolder: [UInt8]

  /// Nil where nobody is told apart.
  init?(_ directory: CallerDirectory?, _ auth: Configuration.Auth, prefix: String) {
    guard let directory else { return nil }
    tickets = directory.tickets
    ticketPath = TicketPath(prefix: prefix)
    cookie = auth.cookie.map { Array($0.utf8) }
    lookup = CallerLookup(directory, tokens: auth.tokens)
    openPaths = Set(Self.openPaths.flatMap { [$0, prefix + $0] }).map { Array($0.utf8) }
    openFolder = Array("\(prefix)/problems/".utf8)
  }

  /// Finds out who asks.
  func check(_ request: GatewayRequest) throws(Problem) {
    // What a page may send is asked for without credentials.
    if request.isPreflight { return }
    let header = request.header(.authorization)
    // Most requests of a connection bring the same key.
    if let header, let caller = request.shownKey?.caller(again: header, to: lookup) {
      return request.comes(from: caller)
    }
    if let caller = header.flatMap({ caller($0, in: request) }) { return request.comes(from: caller) }
    if header == nil, let caller = cookie.flatMap({ self.caller(cookie: $0, in: request) }) {
      return request.comes(from: caller)
    }
    if header == nil, let ticket = ticket(of: request) { return request.comes(from: ticket.caller, with: ticket) }
    if header == nil, let caller = certified(request) { return request.comes(from: caller) }
    guard isOpen(request.exchange.target) else { throw .unauthenticated(hasCredentials: header != nil) }
    request.comes(from: .nobody)
  }

  /// Whoever has shown a certificate. A browser does so by itself, for whichever page, as it sends a kept password.
  private func certified(_ request: GatewayRequest) -> Caller? {
    guard let certificate = request.exchange.clientCertificate, mayBringKeptCredentials(request) else { return nil }
    return lookup.caller(of: certificate, at: request.beginning)
  }

  /// What a browser adds by itself, as a kept password.
  private func caller(cookie name: [UInt8], in request: GatewayRequest) -> Caller? {
    guard mayBringKeptCredentials(request) else { return nil }
    for line in request.values(of: .cookie) {
      if let value = Cookie.value(of: name, in: line) { return lookup.caller(of: value, at: request.beginning) }
    }
    return nil
  }

  /// Whether what a browser adds by itself counts: not for a page of another origin, unless it is listed so.
  private func mayBringKeptCredentials(_ request: GatewayRequest) -> Bool {
    request.mayBringKeptCredentials && (request.isOfListedOrigin || crossSite.foreignPage(request) == nil)
  }

  /// The ticket that the target brings, which is used up with that; nil when it is not good for what is asked.
  private func ticket(of request: GatewayRequest) -> Ticket? {
    guard request.method == .get, let found = ticketPath.find(in: request.exchange.target),
      let ticket = tickets.redeem(found.ticket, at: request.beginning),
      found.service.elementsEqual(ticket.service.utf8),
      ticket.caller.credential?.isRevoked != true, ticket.caller.end.map({ WallTime.now.seconds < $0 }) != false
    else { return nil }
    return ticket
  }

  private func caller(_ header: UnsafeRawBufferPointer, in request: GatewayRequest) -> Caller? {
    switch Credentials(header) {
    case .bearer(let key):
      let caller = lookup.caller(of: key, at: request.beginning)
      request.shownKey = caller.flatMap { ShownKey(header, of: $0, known: lookup.version) }
      return caller
    case .basic(let name, let password):
      // A browser adds it by itself, for whichever page: that page would act in the name of whoever looks at it.
      guard mayBringKeptCredentials(request) else { return nil }
      let caller = password.withUnsafeBytes { lookup.caller(of: $0, at: request.beginning) }
      return name.isEmpty || name == caller?.subject ? caller : nil
    case nil: return nil
    }
  }

  /// Only without a query: more than whether it is ready is told to callers.
  private func isOpen(_ target: UnsafeRawBufferPointer) -> Bool {
    openPaths.contains(where: target.elementsEqual) || target.starts(with: openFolder)
  }
}

extension Problem {
  /// There are no credentials, or none that are known: which of them is wrong in which way is not told.
  fileprivate static func unauthenticated(hasCredentials: Bool) -> Problem {
    var problem = Problem(
      .unauthenticated,
      hasCredentials
        ? "The key is not known here, or is sent in no way that is; send Authorization: Bearer KEY."
        : "Send a key: Authorization: Bearer KEY, or as a password (curl -u :KEY).")
    let fault = hasCredentials ? #", error="invalid_token""# : ""
    problem.challenges = [
      #"Bearer realm="zmq-gateway"\#(fault)"#, #"Basic realm="zmq-gateway", charset="UTF-8""#,
    ]
    return problem
  }
}
