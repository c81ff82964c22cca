public import ZeroMQRPC

/// What has become of the requests that a gateway has taken. Each ends in exactly one way, or is under way.
public struct Accounts: Sendable, Hashable {
  /// Requests that have arrived with their head, sound or not.
  public internal(set) var accepted = 0
  /// Answered with what they asked for; of a stream, its beginning.
  public internal(set) var answered = 0
  /// Refused with a problem; nothing was sent to a backend.
  public internal(set) var refused = 0
  /// Sent to a backend, and answered with a problem: there was no reply, none that can be passed on, or an exception.
  public internal(set) var failed = 0
  /// The client had left before the answer.
  public internal(set) var abandoned = 0
  /// Calls whose deadline passed in the queue.
  public internal(set) var queueTimeouts = 0
  /// Calls whose deadline passed at a backend.
  public internal(set) var timeouts = 0
  /// Requests that waited for the call of another one (`coalesce`).
  public internal(set) var joinedCalls = 0
  /// Requests that were answered with a result that was kept (`keep`).
  public internal(set) var keptResults = 0
  /// Replies that came after their call had ended.
  public internal(set) var lateReplies = LateReplies()

  /// What has become of calls that are no requests of their own.
  public internal(set) var calls = CallAccounts()
  /// What has become of the events of streams, of each service that can be subscribed to.
  public internal(set) var eventsOfServices: [String: EventAccounts] = [:]
  /// Those of all services together.
  public var events: EventAccounts { eventsOfServices.values.reduce(EventAccounts(), +) }

  /// Requests without an end so far.
  public var underWay: Int { accepted - answered - refused - failed - abandoned }

  /// Those of several shards together.
  static func + (left: Accounts, right: Accounts) -> Accounts {
    var sum = Accounts()
    sum.accepted = left.accepted + right.accepted
    sum.answered = left.answered + right.answered
    sum.refused = left.refused + right.refused
    sum.failed = left.failed + right.failed
    sum.abandoned = left.abandoned + right.abandoned
    sum.queueTimeouts = left.queueTimeouts + right.queueTimeouts
    sum.timeouts = left.timeouts + right.timeouts
    sum.joinedCalls = left.joinedCalls + right.joinedCalls
    sum.keptResults = left.keptResults + right.keptResults
    sum.lateReplies = left.lateReplies + right.lateReplies
    sum.calls = left.calls + right.calls
    sum.eventsOfServices = left.eventsOfServices.merging(right.eventsOfServices, uniquingKeysWith: +)
    return sum
  }
}
