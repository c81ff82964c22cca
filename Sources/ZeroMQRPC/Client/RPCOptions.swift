import Reactor
package import ZeroMQ

/// How a client calls its backends.
public struct RPCOptions: Sendable, Hashable {
  /// Bytes of the longest reply that is accepted. A longer one fails its call; one above four times that ends the
  /// connection. Default: 64 MiB.
  public var longestReply = 64 << 20
  /// A reply of more bytes is handed over to keep, as a `LongReply`. Default: none is.
  public var longestShortReply = Int.max
  /// Messages handed to libzmq for a backend that it has not sent yet. The rest waits in the client, where it can be moved,
  /// cancelled and expire. libzmq tells of what it has sent by the half of this, so that a client may find it full from there on. Default:
  /// 256.
  public var sendHighWaterMark = 256
  /// After this many consecutive timeouts the connection is replaced by a fresh one: an aiozmq service whose reader was broken by a
  /// bad message hears again only then. Default: 3.
  public var timeoutsBeforeReplacement = 3
  /// Only a call that waited at least that long for its reply counts as such a timeout: a caller's deadline of a millisecond says
  /// nothing about the backend. Default: 1 s.
  public var leastSilence = Duration.seconds(1)
  /// When an endpoint is left alone because calls to it fail. Such a timeout counts as a failure.
  public var breaker = BreakerOptions()
  /// What is done when a connection goes that has calls which can be sent once more.
  public var retries = RetryOptions()
  /// When calls that can be sent once more are, though their reply is not lost. Default: never.
  public var hedge = HedgeDelay.never
  /// How often a host's name is looked up, besides when a connection is lost: when it has several addresses of one family, each of them is
  /// an endpoint. Default: 30 s.
  public var resolveInterval = Duration.seconds(30)
  /// How much of the limits on calls those of each priority may fill.
  public var shares = PriorityShares()
  /// How long a call may wait for a backend with room; nil: until its deadline. Default: nil.
  public var longestWait: Duration?
  /// While no backend is connected, calls wait for one until their deadline. Default: false, and they fail at once.
  package var waitsForBackend = false
  /// How it shows who it is, and hides what it says. Default: not at all.
  package var security = SocketSecurity.null
  /// What looks names up for that.
  package var resolver = Resolver.shared
  /// Replies taken from one connection in a turn, so that one busy backend does not starve the others. Default: 256.
  public var repliesPerTurn = 256

  /// The defaults.
  public init() {}

  /// Until when a call may wait whose deadline is then.
  func waits(until deadline: Instant, from now: Instant) -> Instant {
    longestWait.map { min(deadline, now + $0) } ?? deadline
  }

  /// Whether any call is sent twice.
  var repeats: Bool { retries.attempts > 0 || hedge != .never }

  var socket: SocketOptions {
    var options = SocketOptions()
    options.immediate = true
    options.ipv6 = true
    options.security = security
    options.sendHighWaterMark = sendHighWaterMark
    // There are no more replies than calls under way, and with heartbeats on a mark must not be reached.
    options.receiveHighWaterMark = 0
    options.heartbeat = .seconds(2)
    options.longestFrame = longestReply.multipliedReportingOverflow(by: 4).overflow ? nil : longestReply * 4
    return options
  }
}

/// When an endpoint is left alone (see `Breaker`).
public struct BreakerOptions: Sendable, Hashable {
  /// After so many failures in a row; nil: never. Default: 5.
  public var failures: Int? = 5
  /// For how long. Default: 10 s.
  public var open = Duration.seconds(10)
  /// None is left alone.
  static var never: BreakerOptions {
    var options = BreakerOptions()
    options.failures = nil
    return options
  }

  /// The defaults.
  public init() {}
}

/// What is done with calls that can be sent once more.
public struct RetryOptions: Sendable, Hashable {
  /// How often a call is sent once more when its connection is lost. Default: 0.
  public var attempts = 0
  /// Of a hundred calls that could be sent twice, so many may be, retried and hedged ones together. Default: 10.
  public var percent = 10
  /// So many in a row may be, if few were before. Default: 100.
  public var burst = 100

  /// The defaults.
  public init() {}
}

/// When a call gets a second copy at another endpoint.
public enum HedgeDelay: Sendable, Hashable {
  /// It gets none.
  case never
  /// When it was sent so long ago.
  case after(Duration)
  /// When it has taken longer than nineteen of twenty calls of the method did of late.
  case percentile95
}
