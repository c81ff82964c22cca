import HTTPServer

/// Subscribing.
extension GatewayRequest: StreamOpener {
  private static let streamType: StaticString = "text/event-stream; charset=utf-8"
  private static let streamHeaders: [(StaticString, String)] = [
    ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
  ]
  /// The control parameter with which a client that cannot set headers resumes.
  private static let lastEventID = "_last_event_id"

  func stream(from backend: PubSubUpstream) throws(Refusal) {
    guard let feed = backend.feed else { return }
    let query = try readQuery(.topics, controls: [Self.lastEventID])
    let filter = try filter(query.topics, feed.settings)
    guard exchange.method == .get else {
      return exchange.respond(
        200, contentType: Self.streamType, headers: Self.streamHeaders,
        body: UnsafeRawBufferPointer(start: nil, count: 0))
    }
    var opening = ServerSentEvents.opening(retry: feed.settings.retry)
    if exchange.header(.lastEventID) != nil || query.control(Self.lastEventID) != nil {
      // No history is replayed yet, so what came in between is lost, and is said to be.
      opening += ServerSentEvents.control("gap", #"{"reason":"evicted","missed":null}"#)
    }
    feed.open(EventStream(filter, feed: feed, opening: opening, exchange: exchange, opener: self))
  }

  func streamOpened(_ stream: EventStream) {
    exchange.respond(200, contentType: Self.streamType, headers: Self.streamHeaders, stream: stream)
  }

  func streamRefused(_ code: ProblemCode, _ detail: String) { answer(makeProblem(code, detail)) }

  /// What the client asks for, or all that is offered.
  private func filter(_ topics: [[UInt8]], _ settings: Configuration.Subscribe) throws(Refusal) -> TopicFilter {
    let offered = settings.topics.map { Array($0.utf8) }
    for topic in topics where !offered.contains(where: { topic.starts(with: $0) }) {
      throw Refusal(
        .noSuchTopic, "\"\(String(decoding: topic, as: UTF8.self))\" is not among the topics of this service.")
    }
    return TopicFilter(prefixes: topics.isEmpty ? offered : topics)
  }
}
