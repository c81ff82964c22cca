/// How many peers are connected to bound endpoints, as far as one can tell. A value without I/O.
///
/// libzmq's events name the endpoint and not the connection, and report an end for handshakes that failed as well, sometimes
/// without having reported the failure. So the count is a hint; it never sinks below zero.
struct AcceptedPeers {
  private(set) var count = 0
  /// Handshakes that failed, whose ends are still to be reported.
  private var failing = 0

  /// Returns what the event means for those who use the socket, if anything.
  mutating func take(_ event: Monitor.Event.Kind) -> ConnectionEvent? {
    switch event {
    case .established:
      count += 1
      return .connected
    case .failed:
      failing += 1
      return nil
    case .refused:
      failing += 1
      return .refused
    case .closed where failing > 0:
      failing -= 1
      return nil
    case .closed where count > 0:
      count -= 1
      return .disconnected
    default: return nil
    }
  }
}
