import DequeModule

/// Messages that have come and nobody has read yet, and when no more are to come. A value without I/O.
///
/// Receiving pauses when more than `limits.high` bytes wait, and goes on when at most `limits.low` do. With a high mark of 0 it goes on
/// only while somebody waits for a message. A message counts for its payload, an empty one for a byte, so that there is always a bound.
struct ReadBuffer {
  private(set) var limits = BufferLimits.usual
  /// Bytes that wait.
  private(set) var byteCount = 0
  /// Receiving is to pause.
  private(set) var isPaused = false
  /// Somebody waits for a message.
  private(set) var isAwaited = false
  private var messages: Deque<Message> = []

  init(_ limits: BufferLimits = .usual) {
    self.limits = limits
    settle()
  }

  var isEmpty: Bool { messages.isEmpty }

  private static func weight(_ message: Message) -> Int { max(1, message.byteCount) }

  /// Who has waited is to look again.
  mutating func append(_ message: Message) {
    messages.append(message)
    byteCount += Self.weight(message)
    isAwaited = false
    settle()
  }

  mutating func removeFirst() -> Message? {
    guard let message = messages.popFirst() else { return nil }
    byteCount -= Self.weight(message)
    settle()
    return message
  }

  /// The oldest messages, at most that many; nil when there are none.
  mutating func removeFirst(atMost limit: Int) -> [Message]? {
    guard !messages.isEmpty else { return nil }
    let taken = Array(messages.prefix(limit))
    messages.removeFirst(taken.count)
    byteCount = messages.isEmpty ? 0 : byteCount - taken.reduce(0) { $0 + Self.weight($1) }
    settle()
    return taken
  }

  mutating func await(_ isAwaited: Bool) {
    self.isAwaited = isAwaited
    settle()
  }

  mutating func setLimits(_ limits: BufferLimits) {
    self.limits = limits
    settle()
  }

  private mutating func settle() {
    if limits.high == 0 {
      isPaused = !isAwaited
    } else if byteCount > limits.high {
      isPaused = true
    } else if byteCount <= limits.low {
      isPaused = false
    }
  }
}
