/// What happens in a service, and has happened since its start.
public struct ServiceCounters: Sendable, Hashable {
  /// Methods that run.
  public var running = 0
  /// Methods that go on although their time was up a second ago or more. Those that are `async` were cancelled, and keep their places. One
  /// that is not holds the reactor: until it comes back nobody is served.
  public var stuck = 0
  /// Calls that were answered with `TimeoutError`.
  public var timedOut = 0
  /// Calls whose method is not `async` and came back after its time. Nobody was served meanwhile.
  public var overran = 0
  /// Messages that could not be unpacked. Those that name their caller were answered.
  public var malformed = 0
  /// Replies that were dropped: their clients were gone, or did not read for too long.
  public var undeliverable = 0
  /// Replies that wait at the moment, because their clients do not read.
  public var waitingReplies = 0

  /// None of it.
  public init(
    running: Int = 0, stuck: Int = 0, timedOut: Int = 0, overran: Int = 0, malformed: Int = 0,
    undeliverable: Int = 0, waitingReplies: Int = 0
  ) {
    self.running = running
    self.stuck = stuck
    self.timedOut = timedOut
    self.overran = overran
    self.malformed = malformed
    self.undeliverable = undeliverable
    self.waitingReplies = waitingReplies
  }
}
