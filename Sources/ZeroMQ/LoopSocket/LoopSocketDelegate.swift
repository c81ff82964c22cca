/// What a socket tells. All on the loop's thread; every method has an empty default.
public protocol LoopSocketDelegate: AnyObject {
  /// A whole message came. Its bytes live for the time of this call.
  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket)
  /// The messages that came together, at least one, have been handed over.
  func messagesReceived(on socket: LoopSocket)
  /// There may be room again, after `send` was refused. Told once for each time that it was refused.
  func writable(on socket: LoopSocket)
  /// A connection came, went, was refused, or does not come: that of an endpoint, as it was given to `connect` or as `bind` returned
  /// it; nil over inproc, and when the socket has closed itself.
  func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket)
  /// A libzmq call failed in a turn. The socket goes on unless the error says `terminated` or `notSocket`: then it has closed
  /// itself, has told each connection that stood as `disconnected`, and tells nothing after this.
  func failed(_ error: ZMQError, on socket: LoopSocket)
}

extension LoopSocketDelegate {
  public func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {}
  public func messagesReceived(on socket: LoopSocket) {}
  public func writable(on socket: LoopSocket) {}
  public func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {}
  public func failed(_ error: ZMQError, on socket: LoopSocket) {}
}

/// What happened to a connection of a socket.
public enum ConnectionEvent: Sendable, Hashable {
  /// A peer has finished its handshake and can be used.
  case connected
  /// A peer is gone; what was in flight to it is lost. With `SocketOptions.immediate` none of it reaches the next peer at that
  /// endpoint: libzmq then drops the queue (its pipe) with the connection (`zmq_setsockopt(3)`, ZMQ_IMMEDIATE).
  case disconnected
  /// The peer refused the credentials, or the other way round.
  case refused
  /// A host's name has no address now, for the reason given. It is looked up again, and this is told once until it has one.
  case unresolved(host: String, reason: String)
  /// For two seconds there has been no connection to the endpoint: nobody answers there, or its name is still being looked up.
  /// Told again every ten seconds until it is connected; the trying goes on. With the option `reconnect` nil it is told once, when the only try
  /// at each address has failed.
  case unreached(Endpoint, isResolving: Bool)
  /// For two seconds there has been no connection to the endpoint because its name leads to the address of another one of the
  /// socket: the two share the other's connection. Told instead of `unreached`, as often; the trying goes on.
  case duplicate(Endpoint, of: Endpoint)
  /// For two seconds nobody has been connected to the bound endpoint. Told once, until somebody is.
  case awaited(Endpoint)
  /// A peer that came to a bound endpoint was turned away: its kind of socket does not go with this one, or it wants another security
  /// mechanism. Which it is, libzmq does not tell.
  case misfit
  /// A peer that came to a bound endpoint was gone before its handshake was done: it may have seen first that the kinds of the two sockets do
  /// not go together, or it is none of ZeroMQ's.
  case unfinished
  /// The kernel connected a socket of this process to itself, because nobody listens at that port and the port lies in the
  /// range for outgoing connections. The connection was dropped, and another try follows.
  case connectedToItself(Endpoint)
}
