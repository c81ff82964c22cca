import Reactor

/// One published call as streams send it: encoded once, never changed, shared by all shards. A long one counts in the service's
/// memory for as long as anybody holds it: the history, a window, a stream that is in the midst of it.
final class Event: Sendable {
  /// Where the parts of a published call end in its lines, so that a stream may write some of them and encodes nothing.
  struct Parts: Hashable, Sendable {
    /// The line of the id, without its line break.
    let id: Int
    let topic: Int
    let method: Int
    let arguments: Int
  }

  /// Counts up by one for each event of a service.
  let sequence: UInt64
  /// The topic, as far as it is kept: one byte more than a prefix can be long, which tells that it is longer; nil for what every stream
  /// is told, such as the loss of a publisher.
  let topic: [UInt8]?
  /// The lines of the event, with the empty line that ends it.
  let text: [UInt8]
  /// Nil for what the gateway itself tells.
  let parts: Parts?
  /// What the gateway itself tells; nil for a published call.
  let notice: Notice?
  /// When it came.
  let time: Instant
  /// What it counts in; nil when it is short.
  private let memory: MemoryBudget?

  /// A published call.
  init(
    sequence: UInt64, topic: [UInt8]?, text: [UInt8], parts: Parts? = nil, time: Instant, memory: MemoryBudget? = nil
  ) {
    self.sequence = sequence
    self.topic = topic
    self.text = text
    self.parts = parts
    notice = nil
    self.time = time
    self.memory = text.count < MemoryBudget.smallest ? nil : memory
    self.memory?.take(text.count)
  }

  /// What the gateway itself tells the streams of a topic, or all.
  init(sequence: UInt64, topic: [UInt8]?, _ notice: Notice, time: Instant) {
    self.sequence = sequence
    self.topic = topic
    text = notice.lines
    parts = nil
    self.notice = notice
    self.time = time
    memory = nil
  }

  deinit { memory?.give(text.count) }

  /// Whether it stands in the place of what is lost.
  var isLoss: Bool { notice?.isGap == true }

  /// The topic, when events with an equal one are of the same topic: nil for one that may be longer than what is kept of it.
  var wholeTopic: [UInt8]? { topic.flatMap { $0.count <= NameRules.longestTopic ? $0 : nil } }
}
