/// A delegate that gets the messages of a turn together, in place of `messageReceived`.
protocol BatchDelegate: TransportDelegate {
  /// How much it takes now: the first message that makes it more is the last. Less than zero: none.
  func room(on transport: isolated Transport) -> Int
  /// Messages came, at least one.
  func messagesReceived(_ batches: [MessageBatch], on transport: isolated Transport)
}

/// Messages that came together, at least one and at most `limit`.
struct MessageBatch {
  static let limit = 256

  private(set) var messages: [Message] = []
  /// What they count for together (`Message.weight`).
  private(set) var weight = 0

  /// An empty one; a full one is expected where one has been filled before.
  init(expectsMany: Bool = false) { if expectsMany { messages.reserveCapacity(Self.limit) } }

  mutating func append(_ message: Message, byteCount: Int) {
    messages.append(message)
    weight += max(1, byteCount)
  }
}
