import CLinux
import CMicroHTTPD
import Reactor

/// One request and its answer. There is one object for a connection, used again for each request on it, so a handler keeps
/// it no longer than until the answer is complete or `abandoned` was called.
public final class Exchange {
  enum Phase: UInt8 {
    /// No request in progress.
    case waiting
    /// The request line is there.
    case head
    /// The head was accepted; the body is on its way.
    case body
    /// The handler has the request and owes the answer.
    case handling
    /// The answer is queued.
    case answered
    /// The answer was written past libmicrohttpd; what still arrives is thrown away until the client closes.
    case lingering
    /// Nothing more is owed: the connection is about to be closed.
    case dropped
  }

  let server: Server
  let connection: OpaquePointer
  let descriptor: CInt
  /// Opened beyond the limit: its requests get 503.
  let isSurplus: Bool
  var phase = Phase.waiting
  /// Whether libmicrohttpd has announced a request and not yet its end.
  var isOpen = false
  var isSuspended = false
  var isReading = false
  var wasWoken = false
  var watcher: ConnectionWatch?
  var stream: (any BodyStream)?
  var rawTarget = Bytes()
  var content = Bytes()
  var answer = Bytes()
  let table = HeaderTable()

  /// The method of the request.
  public internal(set) var method = HTTPMethod.other
  /// Whether the client speaks HTTP/1.0 only.
  public internal(set) var isHTTP10 = false
  /// Bytes the body of this request may have. Set it in `Handler.begin`; the default is the server's.
  public var bodyLimit: Int
  /// The handler's own object. It survives from request to request on this connection.
  public var context: AnyObject?

  init(_ connection: OpaquePointer, descriptor: CInt, isSurplus: Bool, server: Server) {
    self.connection = connection
    self.descriptor = descriptor
    self.isSurplus = isSurplus
    self.server = server
    bodyLimit = server.options.bodyLimit
  }

  /// The request target as the client wrote it, undecoded, with its query. Valid until the answer is complete.
  public var target: UnsafeRawBufferPointer { rawTarget.bytes }

  /// The body of the request; empty before `Handler.handle`. Valid until the answer is complete.
  public var body: UnsafeRawBufferPointer { content.bytes }

  /// The first value of a header, without blanks around it. Valid until the request was answered.
  public func header(_ name: KnownHeader) -> UnsafeRawBufferPointer? { table.value(name) }

  /// How many lines of that name the request has.
  public func count(of name: KnownHeader) -> Int { table.count(name) }

  /// Whether an answer was given.
  public var isAnswered: Bool { phase.rawValue >= Phase.answered.rawValue }

  /// Whether the server accepts no more requests; the answer to this one closes its connection.
  public var isServerQuiesced: Bool { server.isQuiesced }

  /// The client's numeric address, without the port.
  public var peerAddress: String {
    guard let peer = cmhd_peer(connection) else { return "" }
    let address = UnsafeRawPointer(peer)
    // The address follows the family and the port, and in IPv6 the flow label too.
    let offset = CInt(peer.pointee.sa_family) == AF_INET6 ? 8 : 4
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { room in
      guard
        let text = inet_ntop(CInt(peer.pointee.sa_family), address + offset, room.baseAddress, socklen_t(room.count))
      else { return "" }
      return String(cString: text)
    }
  }
}
