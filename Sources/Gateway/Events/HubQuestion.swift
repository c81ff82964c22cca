/// What somebody wants to know of the hub of a service.
enum HubQuestion: Sendable {
  /// What streams ask for, of what may be seen; nil: of everything.
  case topics(seen: TopicAccess?)
  /// The last event of a topic.
  case last([UInt8])
}

/// What the hub says.
enum HubAnswer: Sendable {
  case topics(LiveTopics)
  /// Nil when none is kept.
  case last(Event?)
}
