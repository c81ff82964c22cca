import Glibc

/// The connections that others have made to a bound endpoint. A value without I/O, which is told what the monitor reports.
///
/// libzmq's events name the descriptor of a connection when it is accepted and when it is gone, but not when its handshake is done.
/// That is told by what is left: mostly one connection at a time is in its handshake. When several are, one of which goes without a
/// word of failure, it was turned away, as libzmq 4.3.4 tells nothing more of a peer whose kind of socket does not fit; if that proves
/// wrong, it is made good when the next handshake is done.
struct AcceptedPeers {
  /// What an event means for those who use the socket.
  enum Change: Hashable {
    case connected, disconnected
    /// The peer's credentials, or ours, were refused.
    case refused
    /// The peer was turned away, because its socket does not go with ours.
    case misfit
    /// The peer was gone before its handshake was done, and nothing tells why.
    case unfinished
  }

  /// How many peers are connected.
  var count: Int { established.count + unnamed }
  private var handshaking: Set<CInt> = []
  private var established: Set<CInt> = []
  /// How many of those in `handshaking` are established in truth; which, is not known.
  private var unnamed = 0
  /// Handshakes that failed, whose ends are still to be reported.
  private var failing = 0

  mutating func take(_ event: SocketMonitor.Event.Kind) -> [Change] {
    switch event {
    case .accepted(let descriptor):
      handshaking.insert(descriptor)
      return []
    case .established:
      // More handshakes are done than connections were in one: a loss was taken for that of another.
      guard unnamed < handshaking.count || established.isEmpty else { return [.disconnected, .connected] }
      unnamed += 1
      nameAll()
      return [.connected]
    case .failed(let isMisfit):
      failing += 1
      return [isMisfit ? .misfit : .unfinished]
    case .refused:
      failing += 1
      return [.refused]
    case .closed(let descriptor): return closed(descriptor)
    default: return []
    }
  }

  private mutating func closed(_ descriptor: CInt) -> [Change] {
    if established.remove(descriptor) != nil { return [.disconnected] }
    guard handshaking.remove(descriptor) != nil else { return [] }
    defer { nameAll() }
    if failing > 0 {
      failing -= 1
      return []
    }
    guard unnamed > handshaking.count else { return [.misfit] }
    unnamed -= 1
    return [.disconnected]
  }

  /// When all that are left are established, it is known which.
  private mutating func nameAll() {
    guard unnamed > 0, unnamed == handshaking.count else { return }
    established.formUnion(handshaking)
    (handshaking, unnamed) = ([], 0)
  }
}
