import Synchronization

/// What a service counts. Its reactor alone writes, and any thread reads: also while a method does not come back and holds the reactor.
final class ServiceAccounts: Sendable {
  /// One of the counts.
  struct Account: ~Copyable, Sendable {
    private let value = Atomic<Int>(0)

    var count: Int { value.load(ordering: .relaxed) }

    func set(_ count: Int) { value.store(count, ordering: .relaxed) }

    /// Counts one more; true when that is worth a line in the log (see `PowerOfTwoCounter`).
    func increment() -> Bool { value.wrappingAdd(1, ordering: .relaxed).newValue.nonzeroBitCount == 1 }
  }

  let running = Account()
  /// Of those, the ones that go on although they were cancelled.
  let stuck = Account()
  /// One if a method holds the reactor past its time. Its `InlineWatch` writes it.
  let holding = Account()
  let timedOut = Account()
  let overran = Account()
  let malformed = Account()
  let undeliverable = Account()
  let waitingReplies = Account()

  /// What they say now.
  var counters: ServiceCounters {
    ServiceCounters(
      running: running.count, stuck: stuck.count + holding.count, timedOut: timedOut.count, overran: overran.count,
      malformed: malformed.count, undeliverable: undeliverable.count, waitingReplies: waitingReplies.count)
  }
}
