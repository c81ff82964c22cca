import CZeroMQ

// MARK: Queues

extension SocketOption<Int> {
  /// Messages queued for a peer before a send is refused; 0 for no bound. Before the first endpoint only. Default: 1,000.
  public static var sendHighWaterMark: Self { .count(ZMQ_SNDHWM, "ZMQ_SNDHWM") }
  /// Messages of a peer queued before its sending stops; 0 for no bound. Before the first endpoint only. Default: 1,000.
  public static var receiveHighWaterMark: Self { .count(ZMQ_RCVHWM, "ZMQ_RCVHWM") }
}

extension SocketOption<Int?> {
  /// Bytes of the kernel's buffer for what is sent over a connection; nil: what the kernel chooses. Default: nil.
  public static var sendBuffer: Self { .count(ZMQ_SNDBUF, "ZMQ_SNDBUF") }
  /// Bytes of the kernel's buffer for what comes over a connection; nil: what the kernel chooses. Default: nil.
  public static var receiveBuffer: Self { .count(ZMQ_RCVBUF, "ZMQ_RCVBUF") }
}

extension SocketOption<Int64> {
  /// Bytes of the longest frame that is accepted, whose sender is disconnected else; -1: no limit. Default: -1.
  public static var longestFrame: Self { .int64(ZMQ_MAXMSGSIZE, "ZMQ_MAXMSGSIZE") }
}

extension SocketOption<Bool> {
  /// Queue only for peers that are connected (see `SocketOptions.immediate`). Before the first endpoint only. Default:
  /// false.
  public static var immediate: Self { .flag(ZMQ_IMMEDIATE, "ZMQ_IMMEDIATE") }
}

extension SocketOption<Duration?> {
  /// How long closing keeps messages that libzmq has and has not sent, in milliseconds; nil: for ever. At any time. Default: see
  /// `SocketOptions.linger`.
  public static var linger: Self { .time(ZMQ_LINGER, "ZMQ_LINGER") }
}

// MARK: Connections

extension SocketOption<Duration?> {
  /// The first wait before connecting again, in milliseconds, at least one; nil: a connection that is lost, or that fails, is not tried again.
  /// Default: 100 ms.
  public static var reconnect: Self { .time(ZMQ_RECONNECT_IVL, "ZMQ_RECONNECT_IVL", atLeast: 1) }
}

extension SocketOption<Duration> {
  /// The longest wait before connecting again, in milliseconds; zero: always `reconnect`. Default: see
  /// `SocketOptions.longestReconnect`.
  public static var longestReconnect: Self { .time(ZMQ_RECONNECT_IVL_MAX, "ZMQ_RECONNECT_IVL_MAX") }
  /// How long a TCP connect may take, in milliseconds; zero: as long as the kernel lets it. Default: 3 s.
  public static var connectTimeout: Self { .time(ZMQ_CONNECT_TIMEOUT, "ZMQ_CONNECT_TIMEOUT") }
  /// How long ZeroMQ's handshake may take, in milliseconds; zero: for ever. Default: 5 s.
  public static var handshake: Self { .time(ZMQ_HANDSHAKE_IVL, "ZMQ_HANDSHAKE_IVL") }
  /// After how long without an acknowledgement the kernel ends a TCP connection, in milliseconds; zero: as the kernel is set.
  /// Default: zero.
  public static var retransmission: Self { .time(ZMQ_TCP_MAXRT, "ZMQ_TCP_MAXRT") }
}

extension SocketOption<Int> {
  /// Connections that wait to be accepted at a bound endpoint. Default: 100.
  public static var backlog: Self { .count(ZMQ_BACKLOG, "ZMQ_BACKLOG") }
  /// The type-of-service field of what is sent over TCP (DSCP and ECN). Default: 0.
  public static var typeOfService: Self { .count(ZMQ_TOS, "ZMQ_TOS") }
}

extension SocketOption<Bool> {
  /// IPv6 addresses beside those of IPv4. Default: false.
  public static var ipv6: Self { .flag(ZMQ_IPV6, "ZMQ_IPV6") }
}

extension SocketOption<UInt64> {
  /// Which of the context's I/O threads may serve the connections, a bit for each; 0: all. Default: 0.
  public static var affinity: Self { .uint64(ZMQ_AFFINITY, "ZMQ_AFFINITY") }
}

extension SocketOption<String> {
  /// The network interface that connections use, such as "eth1", where the kernel allows that (CAP_NET_RAW); empty: any. Default: any.
  public static var device: Self { .text(ZMQ_BINDTODEVICE, "ZMQ_BINDTODEVICE") }
  /// The endpoint of the last bind or connect, wildcards resolved. Read only.
  public static var lastEndpoint: Self { .text(ZMQ_LAST_ENDPOINT, "ZMQ_LAST_ENDPOINT") }
}

extension SocketOption<Int?> {
  /// A descriptor made elsewhere that listens over TCP, which the next bind uses and closes in the end; nil: none. What that is to bind to
  /// has to be of tcp, and says no more. Throws for a descriptor that does not listen. Default: none.
  public static var listener: Self { .count(ZMQ_USE_FD, "ZMQ_USE_FD") }
  /// Whether the kernel asks silent TCP peers for a sign of life: 1 yes, 0 no, nil as the kernel is set. Default: 1.
  public static var keepAlive: Self { .count(ZMQ_TCP_KEEPALIVE, "ZMQ_TCP_KEEPALIVE") }
  /// How many such questions in a row may stay without an answer, 1...127; nil: as the kernel is set. Default: 3.
  public static var keepAliveCount: Self { .count(ZMQ_TCP_KEEPALIVE_CNT, "ZMQ_TCP_KEEPALIVE_CNT") }
}

extension SocketOption<Duration?> {
  /// After how much silence the kernel asks first, in whole seconds, 1...32,767; nil: as the kernel is set. Default: 9 s.
  public static var keepAliveIdle: Self { .time(ZMQ_TCP_KEEPALIVE_IDLE, "ZMQ_TCP_KEEPALIVE_IDLE", units: 1) }
  /// The time between two questions, in whole seconds, 1...32,767; nil: as the kernel is set. Default: 3 s.
  public static var keepAliveInterval: Self { .time(ZMQ_TCP_KEEPALIVE_INTVL, "ZMQ_TCP_KEEPALIVE_INTVL", units: 1) }
}

// MARK: Heartbeats

extension SocketOption<Duration> {
  /// How often a silent peer is asked for a sign of life, in milliseconds; zero: never. Only where the receive mark is 0 (see
  /// `SocketOptions.heartbeat`). Default: never.
  public static var heartbeat: Self { .time(ZMQ_HEARTBEAT_IVL, "ZMQ_HEARTBEAT_IVL") }
  /// What the peer is told: after how long without a sign of life it may end the connection, in tenths of a second (what is
  /// left of one does not count); zero: nothing.
  /// Default: zero.
  public static var heartbeatTTL: Self { .time(ZMQ_HEARTBEAT_TTL, "ZMQ_HEARTBEAT_TTL") }
}

extension SocketOption<Duration> {
  /// After how long without a sign of life this side ends the connection, in milliseconds; zero: at the next question. Default: 6 s
  /// (`SocketOptions.heartbeatTimeout`). A socket that C has made and not told has -1 ms, which is as long as `heartbeat`.
  public static var heartbeatTimeout: Self { .time(ZMQ_HEARTBEAT_TIMEOUT, "ZMQ_HEARTBEAT_TIMEOUT") }
}

// MARK: Identities

extension SocketOption<[UInt8]> {
  /// How routers know this socket: 1...255 bytes that do not begin with 0, and different for each peer of a router. For REQ, REP, DEALER and
  /// ROUTER. Default: none, then each router gives it five bytes of its own.
  public static var routingID: Self { .bytes(ZMQ_ROUTING_ID, "ZMQ_ROUTING_ID") }
  /// How a ROUTER or STREAM socket knows the peer that it connects to next: 1...255 bytes that do not begin with 0. It lasts until
  /// `disconnect`, or until the peer breaks the protocol or a limit. Cannot be read. Default: none.
  ///
  /// libzmq 4.3.4 ends the process when two peers of a socket have one ID. So each is given once, also after its connection's end, and a
  /// ROUTER gives none after it was bound, or has connected without one; connect with an ID first. For an address, not for a host's name,
  /// nor with `immediate`.
  public static var connectRoutingID: Self { .bytes(ZMQ_CONNECT_ROUTING_ID, "ZMQ_CONNECT_ROUTING_ID") }
  /// The message that each new subscriber of an XPUB socket gets first; empty: none. Cannot be read. Default: none.
  public static var welcome: Self { .bytes(ZMQ_XPUB_WELCOME_MSG, "ZMQ_XPUB_WELCOME_MSG") }
  /// Subscribes a SUB socket. At any time. Cannot be read.
  public static var subscribe: Self { .bytes(ZMQ_SUBSCRIBE, "ZMQ_SUBSCRIBE") }
  /// Takes a subscription of a SUB socket back. At any time. Cannot be read.
  public static var unsubscribe: Self { .bytes(ZMQ_UNSUBSCRIBE, "ZMQ_UNSUBSCRIBE") }
}

extension SocketOption<Bool> {
  /// A router refuses to send to a peer that is gone or full, and does not drop in silence. At any time. Cannot be read. Default: true.
  public static var mandatory: Self { .flag(ZMQ_ROUTER_MANDATORY, "ZMQ_ROUTER_MANDATORY") }
  /// A router gives an identity to the newest peer that claims it, and does not refuse that one. At any time. Cannot be read. Default: false.
  public static var handover: Self { .flag(ZMQ_ROUTER_HANDOVER, "ZMQ_ROUTER_HANDOVER") }
  /// An empty message is sent to each new peer, from which a router learns of this REQ, DEALER or ROUTER socket. Cannot be read.
  /// Default: false.
  public static var probe: Self { .flag(ZMQ_PROBE_ROUTER, "ZMQ_PROBE_ROUTER") }
  /// A STREAM socket tells of peers that come and go, by messages of no bytes. At any time. Cannot be read. Default: true.
  public static var notify: Self { .flag(ZMQ_STREAM_NOTIFY, "ZMQ_STREAM_NOTIFY") }
}

// MARK: Patterns

extension SocketOption<Bool> {
  /// XPUB hands over each subscription, and not only the first of a prefix. At any time. Cannot be read. Default: false.
  public static var verbose: Self { .flag(ZMQ_XPUB_VERBOSE, "ZMQ_XPUB_VERBOSE") }
  /// As `verbose`, and each end of one too. At any time. Cannot be read. Default: false.
  public static var verboser: Self { .flag(ZMQ_XPUB_VERBOSER, "ZMQ_XPUB_VERBOSER") }
  /// PUB and XPUB refuse to send while a subscriber is full, and do not drop its message: one slow subscriber then stops all. At any time.
  /// Cannot be read. Default: false.
  public static var noDrop: Self { .flag(ZMQ_XPUB_NODROP, "ZMQ_XPUB_NODROP") }
  /// PUB, XPUB and SUB match what does not begin with a prefix. Both sides must set it. Default: false.
  public static var invertMatching: Self { .flag(ZMQ_INVERT_MATCHING, "ZMQ_INVERT_MATCHING") }
  /// REQ may send again before the reply has come, which then is dropped if `correlate` is set too. At any time. Cannot be read.
  /// Default: false.
  public static var relaxed: Self { .flag(ZMQ_REQ_RELAXED, "ZMQ_REQ_RELAXED") }
  /// REQ numbers its requests, and drops replies to earlier ones. At any time. Cannot be read. Default: false.
  public static var correlate: Self { .flag(ZMQ_REQ_CORRELATE, "ZMQ_REQ_CORRELATE") }
}
