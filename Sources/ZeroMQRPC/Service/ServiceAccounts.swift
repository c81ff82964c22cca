import Synchronization

/// What a service counts. Its reactor alone writes, and any thread reads: also while a method does not come back and holds the reactor.
final class ServiceAccounts: Sendable {
  let running = Atomic<Int>(0)
  /// Of those, the ones that go on although they were cancelled.
  let stuck = Atomic<Int>(0)
  /// One if a method holds the reactor past its time. Its `InlineWatch` writes it.
  let holding = Atomic<Int>(0)
  let timedOut = Atomic<Int>(0)
  let overran = Atomic<Int>(0)
  let malformed = Atomic<Int>(0)
  let undeliverable = Atomic<Int>(0)
  let waitingReplies = Atomic<Int>(0)

  /// What they say now.
  var counters: ServiceCounters {
    ServiceCounters(
      running: running.load(ordering: .relaxed),
      stuck: stuck.load(ordering: .relaxed) + holding.load(ordering: .relaxed),
      timedOut: timedOut.load(ordering: .relaxed), overran: overran.load(ordering: .relaxed),
      malformed: malformed.load(ordering: .relaxed), undeliverable: undeliverable.load(ordering: .relaxed),
      waitingReplies: waitingReplies.load(ordering: .relaxed))
  }
}
