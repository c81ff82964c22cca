public import Reactor
public import ZeroMQ

/// How long a call has waited, and where it was answered.
public struct ReplyTimes: Sendable, Hashable {
  /// How long it waited before it was sent.
  public let queued: Duration
  /// How long the backend had it.
  public let waited: Duration
  /// How long the reply was on its way, by the clock of the backend's machine (aiozmq writes its time into each reply); nil when that
  /// clock and this one do not agree so far that it can be.
  public let returned: Duration?
  /// Where the backend is; nil when that is not known.
  public let endpoint: Endpoint?

  /// What is known.
  public init(queued: Duration, waited: Duration, returned: Duration? = nil, endpoint: Endpoint?) {
    (self.queued, self.waited, self.returned, self.endpoint) = (queued, waited, returned, endpoint)
  }
}

/// The reply that a handler is being told of. Written for each reply, and read by few: nothing is retained, and nothing computed.
public struct CurrentReply {
  // Safe: the engine lets go of it, by `end`, before the connection can.
  private unowned(unsafe) var connection: BackendConnection?
  private var called = Instant(nanoseconds: 0)
  private var sent = Instant(nanoseconds: 0)
  private var answered = 0.0

  mutating func begin(
    _ connection: BackendConnection, _ call: borrowing PendingCall, _ header: UnsafeRawBufferPointer
  ) {
    self.connection = connection
    answered = CallHeader.replyTime(header)
    (called, sent) = (call.called, call.sent)
  }

  mutating func end() { connection = nil }

  /// What is known of it; nil when no handler is being told.
  public func times(at now: Instant) -> ReplyTimes? {
    guard let connection else { return nil }
    let waited = now - sent
    let returned = Self.duration(from: answered, to: CallHeader.unixTime())
    return ReplyTimes(
      queued: sent - called, waited: waited, returned: returned.flatMap { $0 >= .zero && $0 <= waited ? $0 : nil },
      endpoint: connection.endpoint)
  }

  /// Between two moments of Unix time; nil for what is none.
  private static func duration(from start: Double, to end: Double) -> Duration? {
    let seconds = end - start
    return abs(seconds) < 1e6 ? .nanoseconds(Int64(seconds * 1e9)) : nil
  }
}
