/// What has become of calls that are no requests of their own: the items of batches and JSON-RPC documents, notifications, and calls that
/// may outlive their request (`Prefer: respond-async`, `Idempotency-Key`). Each ends in exactly one way, or is under way.
public struct CallAccounts: Sendable, Hashable {
  /// Those that were asked for.
  public internal(set) var accepted = 0
  /// They have a result, or their message was handed over.
  public internal(set) var answered = 0
  /// A problem is in the place of the result; nothing was sent to a backend.
  public internal(set) var refused = 0
  /// They were sent to a backend, and a problem is in the place of the result.
  public internal(set) var failed = 0
  /// Nobody wants their end any more, or the gateway has stopped before it.
  public internal(set) var abandoned = 0

  /// Those without an end so far.
  public var underWay: Int { accepted - answered - refused - failed - abandoned }

  /// Those of several shards together.
  static func + (left: CallAccounts, right: CallAccounts) -> CallAccounts {
    var sum = CallAccounts()
    sum.accepted = left.accepted + right.accepted
    sum.answered = left.answered + right.answered
    sum.refused = left.refused + right.refused
    sum.failed = left.failed + right.failed
    sum.abandoned = left.abandoned + right.abandoned
    return sum
  }
}

/// The books that a shard keeps of such calls. A stop waits for those that are under way.
final class CallBooks {
  private(set) var accounts = CallAccounts()
  /// Nobody can be told any more what becomes of calls without a request that waits.
  private var isClosed = false

  /// A call is asked for.
  func begin() { accounts.accepted += 1 }

  /// A call has ended, with a problem or else with its result; the request that waits for it tells that its client.
  func end(_ problem: Problem?) {
    guard let problem else { return accounts.answered += 1 }
    if problem.sent { accounts.failed += 1 } else { accounts.refused += 1 }
  }

  /// The same, of a call that has no such request: when the gateway ends it, nobody hears of its end.
  func endAlone(_ problem: Problem?) { if isClosed { abandon() } else { end(problem) } }

  /// The same, of one whose reply has come, which nobody reads.
  func endAlone(isException: Bool) {
    if isClosed { abandon() } else if isException { accounts.failed += 1 } else { accounts.answered += 1 }
  }

  /// Nobody wants the ends of so many calls any more.
  func abandon(_ count: Int = 1) { accounts.abandoned += count }

  /// The gateway is about to end what is under way.
  func close() { isClosed = true }

  /// What has not ended by now never will.
  func abandonRest() { abandon(accounts.underWay) }
}
