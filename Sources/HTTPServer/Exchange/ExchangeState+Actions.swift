extension ExchangeState {
  /// What to do with what arrived of a request.
  enum Arrival {
    /// Look at the head.
    case head
    /// Append a piece to the body.
    case body
    /// Give the complete request to the handler.
    case complete
    /// Throw it away.
    case discard
    /// Close the connection.
    case close
  }

  /// How an answer reaches the client.
  enum Path {
    /// Through libmicrohttpd: the request is complete, or has no body to come.
    case library
    /// Straight to the socket: libmicrohttpd takes no answer while a body is on its way.
    case socket
    /// Not at all: none is owed, or the client is gone.
    case none
  }

  /// What to do. The order counts: the handler is told before the request is let go, and the socket is shut down before the
  /// connection is resumed.
  struct Actions: OptionSet {
    let rawValue: UInt32
    /// Count a request in progress.
    static let beginRequest = Actions(rawValue: 1 << 0)
    /// Tell the handler that the answer it owes has no taker any more.
    static let abandon = Actions(rawValue: 1 << 1)
    /// Close the stream.
    static let closeStream = Actions(rawValue: 1 << 2)
    /// Let go of the request: head, body and answer.
    static let endRequest = Actions(rawValue: 1 << 3)
    /// Start the deadline for the rest of a head.
    static let expectHead = Actions(rawValue: 1 << 4)
    /// Start the deadline for the next request.
    static let expectRequest = Actions(rawValue: 1 << 5)
    /// Start the deadline for a client that has shut down its half, or has been refused.
    static let expectEnd = Actions(rawValue: 1 << 6)
    /// Stop the deadline.
    static let expectNothing = Actions(rawValue: 1 << 7)
    /// Shut down the socket; libmicrohttpd closes the connection in its next run.
    static let shutDown = Actions(rawValue: 1 << 8)
    /// Suspend the connection.
    static let suspend = Actions(rawValue: 1 << 9)
    /// Resume the connection.
    static let resume = Actions(rawValue: 1 << 10)
    /// Tell libmicrohttpd that the stream is broken.
    static let breakStream = Actions(rawValue: 1 << 11)
    /// Refuse the request: its body took too long.
    static let refuse = Actions(rawValue: 1 << 12)
    /// Let go of the connection.
    static let endConnection = Actions(rawValue: 1 << 13)
    /// Start the deadline for a body, which moves with what arrives.
    static let expectBody = Actions(rawValue: 1 << 14)
    /// Start the deadline for a client that is to read, which moves with what it takes.
    static let expectReader = Actions(rawValue: 1 << 15)
    /// Write what the stream has, at the end of the turn.
    static let write = Actions(rawValue: 1 << 16)
    /// Have the socket report that there is room in it.
    static let awaitRoom = Actions(rawValue: 1 << 17)

    /// The same, for a client that reads an endless stream: nothing that it sends meanwhile will be read.
    static let expectListener = Actions(rawValue: 1 << 18)

    /// What the clock runs for from now on; nil when that stays as it is.
    var expectation: ConnectionWatch.Wait? {
      if contains(.expectListener) { return .listener }
      if contains(.expectReader) { return .reader }
      if contains(.expectRequest) { return .request }
      if contains(.expectBody) { return .body }
      if contains(.expectHead) { return .head }
      if contains(.expectNothing) { return .nothing }
      return contains(.expectEnd) ? .end : nil
    }
  }
}
