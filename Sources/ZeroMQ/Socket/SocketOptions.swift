import CZeroMQ
import Reactor

/// What a socket is told before its first `bind` or `connect` (`zmq_setsockopt(3)`).
public struct SocketOptions: Sendable, Hashable {
  /// Messages queued for a peer before a send is refused. Default: 1,000.
  public var sendHighWaterMark = 1_000
  /// Messages of a peer queued before its sending stops; 0 for no bound. Default: 1,000.
  public var receiveHighWaterMark = 1_000
  /// How long closing keeps unsent messages; nil keeps them for ever. Default: none.
  public var linger: Duration? = .zero
  /// Queue only for peers that are connected, so that a send without one is refused. Default: false.
  public var immediate = false
  /// The first wait before connecting again. Default: 100 ms.
  public var reconnect: Duration = .milliseconds(100)
  /// The longest wait before connecting again; waits double up to it. Default: 400 ms, so that a peer that comes
  /// back is found well within a second.
  public var longestReconnect: Duration = .milliseconds(400)
  /// How often a silent peer is asked for a sign of life; zero for never. Default: 2 s.
  ///
  /// Not for a socket that can reach its receive high-water mark: when the peer of such a connection goes away between two
  /// heartbeats, libzmq 4.3.4 ends the process (assertion `!_io_error`). `keepAlive` stands in there.
  public var heartbeat: Duration = .seconds(2)
  /// After how long without one the connection is given up. Default: 6 s.
  public var heartbeatTimeout: Duration = .seconds(6)
  /// After how much silence the kernel asks the peer's, in whole seconds; a third of it between further questions, three
  /// unanswered ones end the connection. TCP only. Default: 9 s.
  public var keepAlive: Duration = .seconds(9)
  /// How long the ZMTP handshake may take. Default: 5 s.
  public var handshake: Duration = .seconds(5)
  /// How long a TCP connect may take. Default: 3 s.
  public var connectTimeout: Duration = .seconds(3)
  /// Bytes of the longest frame that is accepted: a peer that sends more is disconnected. nil: no limit.
  public var longestFrame: Int?
  /// A router refuses to send to a peer that is gone or full, and does not drop in silence. Default: true.
  public var mandatory = true

  /// The defaults.
  public init() {}
}

extension SocketOptions {
  func apply(to socket: borrowing Socket) throws(ZMQError) {
    try socket.set(ZMQ_SNDHWM, CInt(clamping: sendHighWaterMark))
    try socket.set(ZMQ_RCVHWM, CInt(clamping: receiveHighWaterMark))
    try socket.set(ZMQ_LINGER, linger?.milliseconds ?? CInt(-1))
    try socket.set(ZMQ_IMMEDIATE, CInt(immediate ? 1 : 0))
    try socket.set(ZMQ_RECONNECT_IVL, reconnect.milliseconds)
    try socket.set(ZMQ_RECONNECT_IVL_MAX, longestReconnect.milliseconds)
    try socket.set(ZMQ_HEARTBEAT_IVL, heartbeat.milliseconds)
    try socket.set(ZMQ_HEARTBEAT_TIMEOUT, heartbeatTimeout.milliseconds)
    let silence = max(1, CInt(clamping: keepAlive.components.seconds))
    try socket.set(ZMQ_TCP_KEEPALIVE, CInt(1))
    try socket.set(ZMQ_TCP_KEEPALIVE_IDLE, silence)
    try socket.set(ZMQ_TCP_KEEPALIVE_INTVL, max(1, silence / 3))
    try socket.set(ZMQ_TCP_KEEPALIVE_CNT, CInt(3))
    try socket.set(ZMQ_HANDSHAKE_IVL, handshake.milliseconds)
    try socket.set(ZMQ_CONNECT_TIMEOUT, connectTimeout.milliseconds)
    try socket.set(ZMQ_IPV6, CInt(1))
    try socket.set(ZMQ_MAXMSGSIZE, Int64(longestFrame ?? -1))
    if socket.kind == .router { try socket.set(ZMQ_ROUTER_MANDATORY, CInt(mandatory ? 1 : 0)) }
  }
}

extension Duration {
  /// Whole milliseconds as libzmq takes them, rounded up.
  var milliseconds: CInt { CInt(clamping: (nanoseconds + 999_999) / 1_000_000) }
}
