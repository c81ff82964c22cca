import DequeModule

/// Messages that have come and nobody has read yet, and whether more shall be received. A value without I/O.
///
/// Receiving pauses when more than `limits.high` bytes wait, and goes on when at most `limits.low` do. With a high mark of 0 it goes on
/// only while somebody waits for a message. A message counts for its payload, an empty one for a byte, so that there is always a bound.
struct ReadBuffer {
  private(set) var limits: BufferLimits
  /// Bytes that wait.
  private(set) var byteCount = 0
  /// Receiving is to pause.
  private(set) var isPaused = false
  /// Somebody waits for a message.
  var isAwaited = false { didSet { settle() } }
  private var messages: Deque<Message> = []

  init(_ limits: BufferLimits = .usual) {
    self.limits = limits
    settle()
  }

  var isEmpty: Bool { messages.isEmpty }

  /// Whoever has waited for it has to be told.
  mutating func append(_ message: Message) {
    messages.append(message)
    byteCount += message.weight
    isAwaited = false
  }

  mutating func removeFirst() -> Message? {
    guard let message = messages.popFirst() else { return nil }
    byteCount -= message.weight
    settle()
    return message
  }

  /// The oldest messages, at most that many; nil when there are none.
  mutating func removeFirst(atMost limit: Int) -> [Message]? {
    guard !messages.isEmpty else { return nil }
    let count = min(limit, messages.count)
    var taken: [Message] = []
    taken.reserveCapacity(count)
    for _ in 0..<count {
      let message = messages.removeFirst()
      byteCount -= message.weight
      taken.append(message)
    }
    settle()
    return taken
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

extension Message {
  /// What it counts for where messages wait: its bytes, and one if it has none.
  var weight: Int { Swift.max(1, byteCount) }
}
