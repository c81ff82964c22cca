/// What a request passes between the router and its responder.
///
/// The checks run in a fixed order: hosts, cross-site requests, authentication, authorization, rate limits, draining. Each is a
/// small value with a `check` of its own; a new one is a property and a line here. Those that are not listed do not exist yet.
struct Checks {
  private let draining = DrainingCheck()

  /// Throws the problem that the first check finds.
  func pass(_ request: GatewayRequest, _ responder: any Responder) throws(Problem) {
    try draining.check(request, responder)
  }
}

/// A gateway that stops takes no new work; what is under way goes on.
struct DrainingCheck {
  func check(_ request: GatewayRequest, _ responder: any Responder) throws(Problem) {
    guard request.isGatewayStopping, !responder.isOperation else { return }
    throw Problem(.draining, "The gateway is stopping; another one may answer.")
  }
}
