import Reactor

/// One published call as streams send it: encoded once, never changed, shared by all shards.
final class Event: Sendable {
  /// Counts up by one for each event of a service.
  let sequence: UInt64
  /// The topic; nil for what every stream is told, such as the loss of the publisher.
  let topic: [UInt8]?
  /// The lines of the event, with the empty line that ends it.
  let text: [UInt8]
  /// When it came.
  let time: Instant

  init(sequence: UInt64, topic: [UInt8]?, text: [UInt8], time: Instant) {
    self.sequence = sequence
    self.topic = topic
    self.text = text
    self.time = time
  }
}

/// The topics one stream asks for: a topic matches when it begins with one of the prefixes, as in ZeroMQ.
struct TopicFilter: Hashable, Sendable {
  let prefixes: [[UInt8]]

  func matches(_ event: Event) -> Bool {
    guard let topic = event.topic else { return true }
    return prefixes.contains { topic.starts(with: $0) }
  }
}
