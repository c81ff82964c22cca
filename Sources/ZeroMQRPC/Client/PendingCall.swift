import Reactor

/// A call that waits for a backend or for its reply, as the engine keeps it.
struct PendingCall {
  let handler: any ReplyHandler
  let deadline: Timer
  let expiry: Instant
  /// The connection it was sent on; nil while it waits.
  var connection: BackendConnection?
  /// When it was sent, or began to wait.
  var since: Instant
  /// Its bytes, while it waits or may be sent once more.
  var kept: KeptCall?
  /// Whether it may have run: it is sent, or was.
  var isSent: Bool { connection != nil || kept?.wasSent == true }

  /// The second copy becomes the first, and the other way round.
  mutating func exchangeCopies() { if let first = connection { connection = kept?.exchange(first) } }
}
