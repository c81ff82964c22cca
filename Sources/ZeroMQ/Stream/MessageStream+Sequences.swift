extension MessageStream {
  /// The messages, one by one, until the stream is closed or the task is cancelled. It throws what has closed it, if that was an error.
  ///
  /// Several may iterate in turn, not at one time: each takes what comes next.
  public var messages: Messages { Messages(stream: self) }

  /// As `messages`, but all that are there at one time: 1 to 256, in an array. That costs less a message. With a read mark of 0 each
  /// batch has one message.
  ///
  /// The frames are libzmq's own, read in place: `message[0].bytes`.
  public var batches: Batches { Batches(stream: self) }

  /// See `messages`.
  public struct Messages: AsyncSequence, Sendable {
    fileprivate let stream: MessageStream

    /// Begins with the next message.
    public func makeAsyncIterator() -> Iterator { Iterator(stream: stream) }

    /// Takes one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
      fileprivate let stream: MessageStream

      /// The next message, waiting for it; nil at the end.
      public func next(isolation actor: isolated (any Actor)?) async throws(ZMQError) -> Message? {
        try await stream.next()
      }
    }
  }

  /// See `batches`.
  public struct Batches: AsyncSequence, Sendable {
    /// How many messages a batch has at most.
    public static let limit = MessageBatch.limit

    fileprivate let stream: MessageStream

    /// Begins with the next message.
    public func makeAsyncIterator() -> Iterator { Iterator(stream: stream) }

    /// Takes one batch after the other.
    public struct Iterator: AsyncIteratorProtocol {
      fileprivate let stream: MessageStream

      /// The messages that are there, waiting for one; nil at the end.
      public func next(isolation actor: isolated (any Actor)?) async throws(ZMQError) -> [Message]? {
        try await stream.nextBatch(atMost: Batches.limit)
      }
    }
  }
}
