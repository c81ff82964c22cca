import ConfigurationReader
public import ZeroMQ

extension Configuration {
  /// Calls without replies: `pattern: pipeline`.
  public struct Pipeline: Sendable, Hashable {
    /// The backends, at least one; messages go to them in turn.
    public var connect: [Endpoint]

    /// Sends to any of `connect`.
    public init(connect: [Endpoint]) { self.connect = connect }

    init(_ section: Section) {
      self.init(connect: section.endpoints())
      section.refuse("publish", "subscribe", because: "belongs to pattern pubsub; this service is a pipeline")
      section.refuse(
        "timeout", "max-timeout", "in-flight", "queue", "breaker", "retries", "hedge", "resolve", "errors",
        "reply-limit",
        because: "does not apply to a pipeline, which answers nothing")
    }
  }
}
