public import Reactor
public import ZeroMQ

/// How long a call has waited, and where it was answered.
public struct ReplyTimes: Sendable, Hashable {
  /// How long it waited before it was sent.
  public let queued: Duration
  /// How long the backend had it.
  public let waited: Duration
  /// Where the backend is; nil when that is not known.
  public let endpoint: Endpoint?

  /// What is known.
  public init(queued: Duration, waited: Duration, endpoint: Endpoint?) {
    (self.queued, self.waited, self.endpoint) = (queued, waited, endpoint)
  }
}

/// The reply that a handler is being told of. Written for each reply, and read by few: nothing is retained, and nothing computed.
public struct CurrentReply {
  // Safe: the engine lets go of it, by `end`, before the connection can.
  private unowned(unsafe) var connection: BackendConnection?
  private var called = Instant(nanoseconds: 0)
  private var sent = Instant(nanoseconds: 0)

  mutating func begin(_ connection: BackendConnection, _ call: borrowing PendingCall) {
    self.connection = connection
    (called, sent) = (call.called, call.sent)
  }

  mutating func end() { connection = nil }

  /// What is known of it; nil when no handler is being told.
  public func times(at now: Instant) -> ReplyTimes? {
    guard let connection else { return nil }
    return ReplyTimes(queued: sent - called, waited: now - sent, endpoint: connection.endpoint)
  }
}
