/// Who takes a socket's messages out of it, many in a call. On the loop's thread.
protocol MessageTaker: AnyObject {
  /// Messages may be there. Takes at most that many, for as long as the socket is open and reads, and tells what is left.
  func takeMessages(atMost limit: Int, from socket: LoopSocket) throws(ZMQError) -> MessagesLeft
}

/// What is known of a socket's messages after some were taken out of it.
enum MessagesLeft {
  /// libzmq has looked and found none.
  case none
  /// As many were taken as may be at a time.
  case some
  case unknown
}
