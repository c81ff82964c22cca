import ConfigurationReader
public import ZeroMQ

extension Configuration {
  /// Calls without replies: `pattern: pipeline`.
  public struct Pipeline: Sendable, Hashable {
    /// The backends, at least one unless `bind` has some; messages go to them in turn.
    public var connect: [Endpoint]
    /// Where backends connect, instead of `connect` (default: nowhere).
    public var bind: [Endpoint] = []

    /// Sends to any of `connect`.
    public init(connect: [Endpoint]) { self.connect = connect }

    init(_ section: Section) {
      let (connect, bind) = section.endpoints()
      self.init(connect: connect)
      self.bind = bind
      section.refuse("publish", "subscribe", because: "belongs to pattern pubsub; this service is a pipeline")
      section.refuse(
        "timeout", "max-timeout", "in-flight", "queue", "breaker", "retries", "hedge", "resolve", "errors",
        "reply-limit",
        because: "does not apply to a pipeline, which answers nothing")
    }
  }
}
