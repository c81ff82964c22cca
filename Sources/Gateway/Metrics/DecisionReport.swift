import Metrics

/// What a shard has asked the service that decides, or several shards together.
struct DecisionReport: Sendable {
  private var counters: Decisions.Counters
  /// Answers that are kept, and may be.
  private var kept: Int, limit: Int

  /// Nil where no service decides.
  init?(_ decisions: Decisions) {
    guard decisions.isOn else { return nil }
    counters = decisions.counters
    (kept, limit) = decisions.keptCount
  }

  static func + (left: DecisionReport, right: DecisionReport) -> DecisionReport {
    var sum = left
    sum.counters = left.counters + right.counters
    sum.kept += right.kept
    sum.limit += right.limit
    return sum
  }

  /// Writes it as metrics.
  func write(to metrics: inout MetricsText) {
    metrics.begin(
      "zmq_gateway_decisions_total", .counter, "Questions to the service of auth.decision that have ended, by how.")
    metrics.add(counters.allowed, ("result", "allowed"))
    metrics.add(counters.refused, ("result", "refused"))
    metrics.add(counters.failed, ("result", "failed"))
    metrics.begin(
      "zmq_gateway_decision_lookups_total", .counter,
      "How often something had to be decided, by whether it was asked, waited for the same question, was known, or was not asked."
    )
    metrics.add(counters.asked, ("source", "asked"))
    metrics.add(counters.joined, ("source", "joined"))
    metrics.add(counters.kept, ("source", "kept"))
    metrics.add(counters.unasked, ("source", "unasked"))
    metrics.begin("zmq_gateway_decisions_kept", .gauge, "Answers that are kept, on all threads.")
    metrics.add(kept)
    metrics.begin(
      "zmq_gateway_decisions_kept_limit", .gauge, "As many as auth.decision.entries allows, on all threads.")
    metrics.add(limit)
  }
}
