import HTTPServer
import MessagePack

/// Whether a request may do what it wants, where a service decides that (`auth.decision`): the last check, behind the rules, when the
/// request is complete. What it wants is read by its names alone, before anything is looked for.
struct DecisionCheck {
  /// Serves the request when it may be, or answers it.
  func check(_ request: GatewayRequest, serve: @escaping () -> Void) {
    guard request.isToBeDecided else { return serve() }
    let wanted: Wanted
    do throws(Problem) { wanted = try self.wanted(by: request) } catch { return request.answer(error) }
    if let fault = wanted.fault {
      return request.answer(200, "application/json", fault.answer(id: JSONRPCDocument.noID))
    }
    if wanted.isNothing {
      // Nothing of a service is served that was not decided.
      if request.knownResponder?.kind.isOfServices == true { return request.answer(.refusedByDecision) }
      if request.leadsNowhere, request.serving.router.hasRoutes, request.decisions.isSilent {
        return request.answer(.undecided)
      }
      return serve()
    }
    let decision = RequestDecision(wanted, of: request)
    request.isDecided(by: decision)
    decision.ask(within: askedTime(request), serve: serve)
  }

  /// How long the request gives what it wants. It is read in the same way wherever the request leads, and what the configuration says of a
  /// method does not count yet: else how long a refusal takes would tell what there is.
  private func askedTime(_ request: GatewayRequest) -> Duration? {
    let target = request.exchange.target
    let query = UnsafeRawBufferPointer(rebasing: target.drop { $0 != UInt8(ascii: "?") }.dropFirst())
    let read = try? Query(
      query.assumingMemoryBound(to: UInt8.self).span, .arguments, controls: CallResponder.fetchControls)
    return (try? CallResponder.askedTimeout(request, read)) ?? nil
  }

  private func wanted(by request: GatewayRequest) throws(Problem) -> Wanted {
    let router = request.serving.router
    let target = request.exchange.target.assumingMemoryBound(to: UInt8.self)
    let permissions = request.permissions
    // What names nothing rightly is refused for that.
    switch try? router.named(request.method, target.span, for: permissions) {
    case .nothing, nil: return .nothing
    case .wishes(let wishes, let refusal): return Wanted(wishes, else: refusal)
    case .stream(let service, let query):
      let raw = UnsafeRawBufferPointer(rebasing: request.exchange.target[query])
      let topics = try StreamResponder.topics(raw)
      return Wanted(
        [.subscribe(try request.ticket?.topics(asked: topics) ?? topics, of: service)], else: .refusedByDecision)
    case .lastEvent(let service, let query):
      let raw = UnsafeRawBufferPointer(rebasing: request.exchange.target[query])
      let topics =
        raw.isEmpty ? [] : try Query(raw.assumingMemoryBound(to: UInt8.self).span, .topics, controls: []).topics
      return Wanted([.subscribe(topics, of: service)], else: .refusedByDecision)
    case .document(let service):
      // Other verbs are told that it takes POST, whether there is the service or not.
      if request.method == .options { return Wanted([], else: .refusedByDecision) }
      guard request.method == .post else { return .nothing }
      let wishes = JSONRPCResponder.wishes(request.body, of: service, atMost: router.longestBatch)
      if wishes.isEmpty { return Wanted(JSONRPCDocument.fault(in: request.body)) }
      // Whether there is the service is told to whoever may call something.
      return Wanted(wishes.filter { $0.isAllowed(by: permissions) }, else: .refusedByDecision)
    case .batch:
      return Wanted(router.batchWishes(request.body).filter { $0.isAllowed(by: permissions) }, else: nil)
    case .ticket:
      // What is wrong with a body that says nothing is told by who reads it.
      guard let wish = TicketsResponder.wish(request.body), wish.isAllowed(by: permissions) else { return .nothing }
      return Wanted([wish], else: .refusedByDecision)
    }
  }
}

extension GatewayRequest {
  /// Whether nothing is served at its path.
  fileprivate var leadsNowhere: Bool {
    do throws(Problem) { _ = try responder } catch { return error.code == .noSuchRoute }
    return false
  }
}

extension ProblemCode {
  /// Whether a request that is refused so is told nothing of what there is, and so need not be decided.
  var tellsNothing: Bool {
    switch self {
    case .unauthenticated, .permissionDenied, .crossSite, .misdirected, .rateLimited, .badTarget: true
    default: false
    }
  }
}

extension RouteKind {
  /// Whether it leads to services.
  fileprivate var isOfServices: Bool {
    switch self {
    case .rpc, .push, .pub, .sub, .last, .topics, .jsonrpc, .route: true
    case .batch, .calls, .operation, .none: false
    }
  }
}
