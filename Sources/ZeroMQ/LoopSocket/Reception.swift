/// Has a socket's messages taken out of it, and knows afterwards whether libzmq has to be asked for more before the loop sleeps: two system
/// calls.
final class Reception {
  /// Who takes them; nil for the socket's delegate, to which each is lent.
  weak var taker: (any MessageTaker)?
  /// What this turn has left; unknown as soon as the socket is used for anything else, for that may have used its descriptor's edge up.
  private(set) var left = MessagesLeft.unknown
  private let lending = LentMessages()
  /// Messages are being handed over.
  private var isReceiving = false

  func beginTurn() { left = .none }

  func socketWasUsed() { left = .unknown }

  func receive(atMost limit: Int, from socket: LoopSocket) throws(ZMQError) {
    // A delegate that ends a connection within `messageReceived` gets here again, and still holds the frames.
    guard !isReceiving else { return socketWasUsed() }
    isReceiving = true
    defer { isReceiving = false }
    do throws(ZMQError) {
      let found = try (taker ?? lending).takeMessages(atMost: limit, from: socket)
      if left == .none { left = found }
    } catch {
      socketWasUsed()
      throw error
    }
  }
}

/// Lends each message to the socket's delegate.
private final class LentMessages: MessageTaker {
  // `Reception` lets nobody in who would use it meanwhile.
  @exclusivity(unchecked) private var frames = ReceivedMessage()

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
