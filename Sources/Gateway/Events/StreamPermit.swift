/// That a client may have one more open stream. It counts against `limits.streams` until it is given back.
final class StreamPermit {
  private var allowance: Allowance?

  /// Throws when the request's client has as many as it may.
  init(_ request: GatewayRequest) throws(Problem) {
    guard let allowance = request.allowance else { return }
    try allowance.openStream()
    self.allowance = allowance
  }

  deinit { giveBack() }

  /// The stream is closed, or does not open.
  func giveBack() { allowance.take()?.closeStream() }
}
