import GatewaySecurity
import Reactor

/// That a client may have one more open stream. It counts against `limits.streams` until it is given back, and ends with the credentials of
/// its request.
final class StreamPermit {
  private var allowance: Allowance?
  private let caller: Caller?
  /// What has to be allowed again while the stream is open; nil where nobody decides.
  private let decision: StandingDecision?

  /// Throws when the request's client has as many as it may.
  init(_ request: GatewayRequest) throws(Problem) {
    caller = request.caller
    decision = request.decision?.standing()
    guard let allowance = request.allowance else { return }
    try allowance.openStream()
    self.allowance = allowance
  }

  deinit { giveBack() }

  /// The stream has opened; `ended` is called when it may not go on.
  func opened(_ ended: @escaping () -> Void) { decision?.begin(ended) }

  /// The stream is closed, or does not open.
  func giveBack() {
    decision?.stop()
    allowance.take()?.closeStream()
  }

  /// The tag of a timer for when a client does not want to wait any longer. Others are for the end of the credentials.
  static let ofClient: UInt32 = 1

  /// Fires the stream after the time for which its client wants to wait, or when the credentials end, whichever comes first; nil: neither.
  func schedule(_ stream: any TimerHandler, after wait: Duration? = nil, on loop: Loop) -> Timer? {
    let left = timeLeft
    guard let first = [wait, left].compactMap(\.self).min() else { return nil }
    // Not by the time of the turn, which lies before this one: credentials would still count when the stream ends.
    return loop.schedule(at: max(loop.now, .monotonic()) + first, stream, tag: first == left ? 0 : Self.ofClient)
  }

  /// For how long the credentials count; nil: until they are taken back.
  private var timeLeft: Duration? { caller?.end.map { .seconds(max(0, $0 - WallTime.now.seconds)) } }

  /// Why it has ended; nil while it has not.
  var ending: Notice.Farewell? {
    if caller?.credential?.isRevoked == true { return .revoked }
    if decision?.isRefused == true { return .refused }
    return timeLeft == .zero ? .expired : nil
  }
}
