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

/// Lends each message to the socket's delegate.
final class LentMessages: MessageTaker {
  private var frames = ReceivedMessage()

  func takeMessages(atMost limit: Int, from socket: LoopSocket) throws(ZMQError) -> MessagesLeft {
    guard let inner = socket.inner, let delegate = socket.delegate else { return .unknown }
    var received = 0
    defer {
      frames.clear()
      if received > 0 { socket.delegate?.messagesReceived(on: socket) }  // Closed meanwhile, it has none any more.
    }
    while received < limit {
      // The delegate may pause or close the socket at any message.
      guard socket.isReading(from: inner) else { return .unknown }
      guard try frames.receive(from: inner) else { return .none }
      received += 1
      socket.subscribers?.take(frames)
      delegate.messageReceived(frames, on: socket)
    }
    return .some
  }
}
