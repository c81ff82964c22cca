import Reactor

/// A connection whose first bytes have not come, or do not say yet where it belongs.
final class WaitingConnection: Source, TimerHandler {
  let accepted: Accepted
  // Safe: the queue cancels the connections that wait before it goes.
  private unowned let queue: AcceptQueue
  private var loop: Loop?
  private var watch: Watch?
  private var timer: Timer?

  init(_ accepted: Accepted, queue: AcceptQueue) {
    self.accepted = accepted
    self.queue = queue
  }

  /// Tells the queue of what comes, and of the deadline.
  func start(until deadline: Instant, on loop: Loop) throws(ReactorError) {
    watch = try loop.watch(accepted.descriptor, for: [.readable, .peerClosed, .edge], self)
    timer = loop.schedule(at: deadline, self)
    self.loop = loop
  }

  /// Ends the wait; the descriptor may be closed, or handed on, after it.
  func cancel() {
    watch?.cancel()
    watch = nil
    if let timer { loop?.cancel(timer) }
    timer = nil
  }

  func turn(_ events: PollEvents) {
    if !events.isDisjoint(with: [.hangUp, .failed]) { return queue.drop(self) }
    queue.stirred(self, hasEnded: events.contains(.peerClosed))
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    queue.drop(self)
  }
}
