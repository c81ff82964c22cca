import CLinux
import Reactor

/// Watches one connection's socket and clock.
///
/// libmicrohttpd sees nothing of a suspended connection, and its own timeout starts anew with each byte. The watch asks
/// for hang-ups only, once for the whole connection, so it costs nothing per request; the timer is moved only when it
/// fires or would fire too late.
final class ConnectionWatch: Source, TimerHandler {
  // Safe: the exchange cancels its watch, which ends all calls, before the server lets go of it.
  private unowned let exchange: Exchange
  private let loop: Loop
  private var watch: Watch?
  private var timer: Timer?
  private var firesAt = Instant(nanoseconds: .max)
  private var deadline = Instant(nanoseconds: .max)
  /// Fires at least this often while no request is in progress, so that the next one's deadline needs no new timer.
  private let period: Int64
  private var isPeriodic = false

  init(_ exchange: Exchange, descriptor: CInt, period: Int64, on loop: Loop) throws(ReactorError) {
    self.exchange = exchange
    self.loop = loop
    self.period = period
    watch = try loop.watch(descriptor, for: [.peerClosed, .edge], self)
  }

  /// Ends the watch; the descriptor may be closed after it.
  func cancel() {
    watch?.cancel()
    watch = nil
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  /// Calls `Exchange.expired()` that many nanoseconds from now; nil: never.
  func expect(within nanoseconds: Int64?, periodic: Bool = false) {
    deadline = Self.instant(nanoseconds, after: loop.now)
    isPeriodic = periodic
    arm()
  }

  /// `Duration` computes in 128 bits, which shows at several deadlines a request.
  private static func instant(_ nanoseconds: Int64?, after start: Instant) -> Instant {
    guard let nanoseconds else { return Instant(nanoseconds: .max) }
    let (sum, overflow) = start.nanoseconds.addingReportingOverflow(nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// Moves the deadline one second for each KiB.
  func credit(bytes: Int) {
    guard deadline.nanoseconds < .max else { return }
    deadline = Self.instant(Int64(bytes) * 976_563, after: deadline)
  }

  private func arm() {
    guard deadline.nanoseconds < .max else { return }
    let wanted = isPeriodic ? min(deadline, Self.instant(period, after: loop.now)) : deadline
    if let timer {
      guard wanted < firesAt else { return }
      loop.cancel(timer)
    }
    firesAt = wanted
    timer = loop.schedule(at: wanted, self)
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    if loop.now >= deadline {
      deadline = Instant(nanoseconds: .max)
      exchange.expired()
    } else {
      arm()
    }
  }

  func turn(_ events: PollEvents) {
    if !events.isDisjoint(with: [.hangUp, .failed]) {
      exchange.hungUp()
    } else if events.contains(.peerClosed) {
      exchange.halfClosed()
    }
  }
}
