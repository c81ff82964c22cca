import Logging
import ZeroMQRPC

extension Accounts {
  /// As a line of the log tells them.
  var metadata: Logger.Metadata {
    [
      "accepted": "\(accepted)", "answered": "\(answered)", "refused": "\(refused)", "failed": "\(failed)",
      "abandoned": "\(abandoned)", "late-replies": "\(lateReplies.count)",
      "calls": "\(calls.accepted)", "calls-answered": "\(calls.answered)", "calls-refused": "\(calls.refused)",
      "calls-failed": "\(calls.failed)", "calls-abandoned": "\(calls.abandoned)",
      "joined-calls": "\(joinedCalls)", "kept-results": "\(keptResults)",
    ].merging(events.metadata) { $1 }
  }
}

extension EventAccounts {
  /// As a line of the log tells them.
  var metadata: Logger.Metadata {
    [
      "events": "\(numbered)", "streams": "\(streams)", "events-passed": "\(passed)",
      "events-delivered": "\(delivered)",
      "events-filtered": "\(filtered)", "events-lost": "\(lost)", "events-superseded": "\(superseded)",
      "events-unsent": "\(unsent)",
    ]
  }
}
