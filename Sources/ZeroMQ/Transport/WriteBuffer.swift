import DequeModule

/// Messages that wait for room at the socket, and when their writer is to pause. A value without I/O.
///
/// The writer is told to pause when more than `high` bytes wait, and to go on when at most `low` do: each once, in turn. A message without
/// bytes counts as one for that, so that those are no more either (`Message.weight`).
struct WriteBuffer {
  enum Change: Hashable {
    case pause, resume
  }

  /// The bytes at which the writer goes on, and beyond which it pauses.
  private(set) var limits = BufferLimits.usual
  /// Bytes that wait.
  private(set) var byteCount = 0
  /// What they count for against the limits.
  private(set) var weight = 0
  /// The writer was told to pause.
  private(set) var isPaused = false
  private var messages: Deque<Message> = []

  var isEmpty: Bool { messages.isEmpty }
  var count: Int { messages.count }
  var first: Message? { messages.first }

  mutating func append(_ message: Message) -> Change? {
    messages.append(message)
    byteCount += message.byteCount
    weight += message.weight
    return change()
  }

  mutating func removeFirst() -> Change? {
    let message = messages.removeFirst()
    byteCount -= message.byteCount
    weight -= message.weight
    return change()
  }

  /// What waits is dropped; nobody is told.
  mutating func removeAll() {
    messages = []
    (byteCount, weight) = (0, 0)
  }

  /// By the rules of `BufferLimits`. False, with nothing changed, when they make no sense.
  mutating func setLimits(high: Int?, low: Int?) -> Bool {
    guard let limits = BufferLimits(high: high, low: low) else { return false }
    self.limits = limits
    return true
  }

  /// What the writer is to be told now.
  mutating func change() -> Change? {
    switch isPaused {
    case false where weight > limits.high: isPaused = true
    case true where weight <= limits.low: isPaused = false
    default: return nil
    }
    return isPaused ? .pause : .resume
  }
}
