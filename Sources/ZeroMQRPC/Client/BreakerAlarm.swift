import Reactor

/// What timers hold instead of the balancer, which they must not keep alive.
final class BreakerAlarm: TimerHandler {
  private weak var balancer: Balancer?

  init(_ balancer: Balancer) { self.balancer = balancer }

  func fired(_ timer: Timer) { balancer?.tryAgain() }
}
