import Logging
import ZeroMQRPC

extension Accounts {
  /// As a line of the log tells them.
  var metadata: Logger.Metadata {
    [
      "accepted": .stringConvertible(accepted), "answered": .stringConvertible(answered),
      "refused": .stringConvertible(refused), "failed": .stringConvertible(failed),
      "abandoned": .stringConvertible(abandoned), "late-replies": .stringConvertible(lateReplies.count),
      "calls": .stringConvertible(calls.accepted), "calls-answered": .stringConvertible(calls.answered),
      "calls-refused": .stringConvertible(calls.refused),
      "calls-failed": .stringConvertible(calls.failed), "calls-abandoned": .stringConvertible(calls.abandoned),
      "joined-calls": .stringConvertible(joinedCalls), "kept-results": .stringConvertible(keptResults),
    ].merging(events.metadata) { $1 }
  }
}

extension EventAccounts {
  /// As a line of the log tells them.
  var metadata: Logger.Metadata {
    [
      "events": .stringConvertible(numbered), "streams": .stringConvertible(streams),
      "events-passed": .stringConvertible(passed),
      "events-delivered": .stringConvertible(delivered),
      "events-filtered": .stringConvertible(filtered), "events-lost": .stringConvertible(lost),
      "events-superseded": .stringConvertible(superseded),
      "events-unsent": .stringConvertible(unsent),
    ]
  }
}
