import ZeroMQ

/// How a client calls its backends.
public struct RPCOptions: Sendable, Hashable {
  /// Bytes of the longest reply that is accepted. A longer one fails its call; one above four times that ends the
  /// connection. Default: 64 MiB.
  public var longestReply = 64 << 20
  /// A reply of more bytes is handed over to keep, as a `LongReply`. Default: none is.
  public var longestShortReply = Int.max
  /// Messages handed to libzmq for a backend that it has not sent yet. The rest waits in the client, where it can be moved,
  /// cancelled and expire. Default: 100.
  public var sendHighWaterMark = 100
  /// After this many consecutive timeouts the connection is replaced by a fresh one: an aiozmq service whose reader was broken by a
  /// bad message hears again only then. Default: 3.
  public var timeoutsBeforeReplacement = 3
  /// Only a call that waited at least that long for its reply counts as such a timeout: a caller's deadline of a millisecond says
  /// nothing about the backend. Default: 1 s.
  public var leastSilence = Duration.seconds(1)
  /// Replies taken from one connection in a turn, so that one busy backend does not starve the others. Default: 256.
  public var repliesPerTurn = 256

  /// The defaults.
  public init() {}

  var socket: SocketOptions {
    var options = SocketOptions()
    options.immediate = true
    options.sendHighWaterMark = sendHighWaterMark
    // There are no more replies than calls under way, and with heartbeats on a mark must not be reached.
    options.receiveHighWaterMark = 0
    options.heartbeat = .seconds(2)
    options.longestFrame = longestReply.multipliedReportingOverflow(by: 4).overflow ? nil : longestReply * 4
    return options
  }
}
