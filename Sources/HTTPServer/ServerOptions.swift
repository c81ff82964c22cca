/// What a server grants its clients. What goes beyond is refused with a proper status where HTTP has one.
public struct ServerOptions: Sendable, Hashable {
  /// Bytes of one request body: 413 above. A handler may change it for one request in `begin`. Default: 1 MiB.
  public var bodyLimit = 1 << 20
  /// Bytes of all header lines of one request: 431 above. At most 100 lines. Default: 16 KiB.
  public var headersLimit = 16 << 10
  /// Bytes of the request target: 414 above. Default: 8 KiB.
  public var targetLimit = 8 << 10
  /// Whether chunked request bodies are read; 411 where not. Default: where the library checks their framing.
  public var chunked = ChunkedBodies.auto
  /// Open connections: requests on those above get 503. Default: 10,000.
  public var connections = 10_000
  /// Open connections of one client address: requests on those above get 503. Default: 1,000.
  public var connectionsPerAddress = 1_000
  /// What the paths of streams begin with, such as `/sub/`. A connection that begins with a short GET or HEAD of one costs little
  /// memory, and ends with the answer. Default: empty, no connection does.
  public var streamPath = ""
  /// Paths whose GET and HEAD are answered on connections beyond the limits as well. Default: none.
  public var reservedPaths: [String] = []
  /// How long a client may take for a request's head, from its first byte. A body may fall behind 1 KiB a second by that
  /// much, and be silent no longer: 408 after that. Default: 10 s.
  public var readTimeout = Duration.seconds(10)
  /// By how much a client may fall behind when it takes less than 1 KiB a second of its answers and streams, or nothing: the
  /// connection ends after that. What was written and waits for no one counts as taken. A client may be ahead by 128 KiB, which its
  /// machine may still hold, and take nothing for as many seconds more. Default: 30 s.
  public var writeTimeout = Duration.seconds(30)
  /// How long a connection may stay open between requests. Default: 75 s.
  public var idleTimeout = Duration.seconds(75)
  /// By when all that a client held is free after it has shut down its half of the connection: an answer is waited for until nine tenths
  /// of it. Default: 1 s.
  public var halfCloseGrace = Duration.seconds(1)

  /// The defaults.
  public init() {}
}

/// Whether a server reads chunked request bodies.
public enum ChunkedBodies: String, CaseIterable, Hashable, Sendable {
  /// Where libmicrohttpd is strict, and so checks their framing.
  case auto
  /// Also where a chunk's framing is not checked, and a request may hide in it.
  case accept
  /// Never.
  case refuse

  func areAccepted(by strictness: ParserStrictness) -> Bool {
    switch self {
    case .auto: strictness == .strict
    case .accept: true
    case .refuse: false
    }
  }
}
