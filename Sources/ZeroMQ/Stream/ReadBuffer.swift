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
  /// The oldest messages, the very first at the end.
  private var first: [Message] = []
  /// Those behind them, as they came together.
  private var rest: Deque<MessageBatch> = []

  init(_ limits: BufferLimits = .usual) {
    self.limits = limits
    settle()
  }

  var isEmpty: Bool { first.isEmpty && rest.isEmpty }

  /// How many bytes are received before receiving is to pause: one more, and that message is the last. Less than zero: it is paused.
  var room: Int { isPaused ? -1 : max(0, limits.high - byteCount) }

  /// Messages have come. Whoever has waited for them has to be told.
  mutating func append(_ batch: MessageBatch) {
    rest.append(batch)
    byteCount += batch.weight
    isAwaited = false
  }

  mutating func removeFirst() -> Message? {
    if first.isEmpty, let next = rest.popFirst() {
      first = next.messages
      first.reverse()
    }
    guard let message = first.popLast() else { return nil }
    byteCount -= message.weight
    settle()
    return message
  }

  /// The oldest messages, at most that many; nil when there are none.
  mutating func removeFirst(atMost limit: Int) -> [Message]? {
    var taken: [Message] = []
    while taken.count < limit {
      if first.isEmpty, let next = rest.first, taken.count + next.messages.count <= limit {
        rest.removeFirst()
        byteCount -= next.weight
        if taken.isEmpty { taken = next.messages } else { taken += next.messages }
      } else {
        guard let message = removeFirst() else { break }
        taken.append(message)
      }
    }
    settle()
    return taken.isEmpty ? nil : taken
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
