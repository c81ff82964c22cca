import CZeroMQ
import Reactor

/// What a socket is told before its first `bind` or `connect` (`zmq_setsockopt(3)`). The usual options are properties; the others are
/// set by their `SocketOption`: `options.set(.routingID, to: [1, 2])`.
public struct SocketOptions: Sendable, Hashable {
  /// Messages queued for a peer before a send is refused; 0 for no bound. Default: 1,000.
  ///
  /// A subscribing socket has no bound, whatever is set: it sends subscriptions only, and libzmq drops those beyond the mark in
  /// silence.
  public var sendHighWaterMark = 1_000
  /// Messages of a peer queued before its sending stops; 0 for no bound. Default: 1,000.
  ///
  /// With a bound, a peer that is not to be trusted can end the process by heartbeats of its own, in libzmq 4.3.4 and 4.3.5: see
  /// <doc:DeliveryMarksAndLoss>.
  public var receiveHighWaterMark = 1_000
  /// How long closing keeps messages that have not been sent; nil keeps them for ever. Default: none; 30 s where
  /// `Transport.open` makes the socket. A SUB or XSUB has none there either: closing would wait for a publisher that is not there, to tell it of
  /// subscriptions. An XSUB that sends messages to publishers wants some.
  public var linger: Duration? = .zero
  /// Queue only for peers that are connected (ZMQ_IMMEDIATE): a send without one is refused, and what was queued for a peer that
  /// goes is dropped and not delivered after it has come back. A host's name that has several addresses turns it on, for no message can
  /// move from the queue of one to that of another. Default: false.
  public var immediate = false
  /// The first wait before connecting again. Default: 100 ms.
  public var reconnect: Duration = .milliseconds(100)
  /// The longest wait before connecting again; waits double up to it. Default: 400 ms, so that a peer that comes
  /// back is found well within a second.
  public var longestReconnect: Duration = .milliseconds(400)
  /// How often a silent peer is asked for a sign of life; zero for never. Default: never.
  ///
  /// Only with `receiveHighWaterMark` 0, else creating the socket throws: when a peer fills the queue up to the mark and goes
  /// away, a heartbeat makes libzmq 4.3.4 end the process (assertion `!_io_error`). `keepAlive` finds vanished peers as well.
  public var heartbeat: Duration = .zero
  /// After how long without one the connection is given up. Default: 6 s.
  public var heartbeatTimeout: Duration = .seconds(6)
  /// After how much silence the kernel asks the peer's, in whole seconds; a third of it between further questions, three
  /// unanswered ones end the connection; zero for never. At most 32,767 s, as Linux has it. TCP only. Default: 9 s.
  public var keepAlive: Duration = .seconds(9)
  /// How long the ZMTP handshake may take. Default: 5 s.
  public var handshake: Duration = .seconds(5)
  /// How long a TCP connect may take. Default: 3 s.
  public var connectTimeout: Duration = .seconds(3)
  /// Bytes of the longest frame that is accepted: a peer that sends more is disconnected. nil: no limit.
  public var longestFrame: Int?
  /// A router refuses to send to a peer that is gone or full, and does not drop in silence. Default: true.
  public var mandatory = true
  /// IPv6 addresses beside those of IPv4; `tcp://*:*` then binds all of both. Default: false.
  public var ipv6 = false
  private var others: [OptionValue] = []

  /// A publishing socket knows who has subscribed, for `waitForSubscriber`. It is an XPUB to libzmq then, which its peers cannot tell
  /// from a PUB. An XPUB always knows. Default: false.
  public var watchesSubscribers = false
  /// How the socket shows who it is, and whom it lets in. Default: `null`, nothing and everyone.
  public var security = SocketSecurity.null

  /// The defaults.
  public init() {}

  /// Sets any other option. They are set in the order of these calls, after the properties.
  public mutating func set<Value>(_ option: SocketOption<Value>, to value: Value) {
    others.append(OptionValue(option, value))
  }
}

extension SocketOptions {
  /// What makes no sense, and what libzmq 4.3.4 cannot do without ending the process, is refused here.
  private func check() throws(ZMQError) {
    for (name, time) in [("heartbeat", heartbeat), ("keepAlive", keepAlive)] where time < .zero {
      throw ZMQError(code: .invalid, call: "\(name) of \(time); zero is for never")
    }
    guard heartbeat > .zero, receiveHighWaterMark != 0 else { return }
    throw ZMQError(
      code: .invalid,
      call:
        "heartbeat needs receiveHighWaterMark 0, not \(receiveHighWaterMark): a peer that fills the queue could end the"
        + " process; set one of the two to zero")
  }

  /// Takes the subscriptions out, and their ends, in order: a transport makes them, which keeps the list of them.
  mutating func takeSubscriptions() -> [OptionValue] {
    func isOne(_ value: OptionValue) -> Bool { value.number == ZMQ_SUBSCRIBE || value.number == ZMQ_UNSUBSCRIBE }
    defer { others.removeAll(where: isOne) }
    return others.filter(isOne)
  }

  func apply(to socket: borrowing Socket) throws(ZMQError) {
    try check()
    let isSubscriber = socket.kind == .subscribe || socket.kind == .xSubscribe
    try socket.set(.sendHighWaterMark, to: isSubscriber ? 0 : sendHighWaterMark)
    try socket.set(.receiveHighWaterMark, to: receiveHighWaterMark)
    try socket.set(.linger, to: linger)
    try socket.set(.immediate, to: immediate)
    try socket.set(.reconnect, to: reconnect)
    try socket.set(.longestReconnect, to: longestReconnect)
    if heartbeat > .zero { try socket.set(.heartbeat, to: heartbeat) }
    // Counts for heartbeats that are turned on by the option too, here or later.
    try socket.set(.heartbeatTimeout, to: heartbeatTimeout)
    try setKeepAlive(of: socket)
    try socket.set(.handshake, to: handshake)
    try socket.set(.connectTimeout, to: connectTimeout)
    try socket.set(.ipv6, to: ipv6)
    try socket.set(.longestFrame, to: Int64(longestFrame ?? -1))
    try security.apply(to: socket)
    if socket.kind == .router { try socket.set(.mandatory, to: mandatory) }
    for other in others { try socket.set(other) }
  }

  private func setKeepAlive(of socket: borrowing Socket) throws(ZMQError) {
    guard keepAlive > .zero else { return try socket.set(.keepAlive, to: 0) }
    let silence = min(Self.longestSilence, max(1, keepAlive.components.seconds))
    try socket.set(.keepAlive, to: 1)
    try socket.set(.keepAliveIdle, to: .seconds(silence))
    try socket.set(.keepAliveInterval, to: .seconds(max(1, silence / 3)))
    try socket.set(.keepAliveCount, to: 3)
  }

  /// Linux takes no longer one (`tcp(7)`, TCP_KEEPIDLE).
  private static let longestSilence: Int64 = 32_767
}
