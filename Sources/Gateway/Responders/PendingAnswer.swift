/// A request that waits for what the hub of its service knows.
final class PendingAnswer: PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  private var request: GatewayRequest?
  private let found: (GatewayRequest, HubAnswer) -> Void

  /// `found` answers the request with what the hub says.
  init(_ request: GatewayRequest, found: @escaping (GatewayRequest, HubAnswer) -> Void) {
    self.request = request
    self.found = found
  }

  func answer(_ answer: HubAnswer) { if let request = request.take() { found(request, answer) } }

  func refused(_ problem: Problem) { request.take()?.answer(problem) }

  func cancel() { request = nil }
}
