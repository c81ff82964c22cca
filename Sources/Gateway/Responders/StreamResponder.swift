import HTTPServer

/// `/sub/{service}`: a stream of the service's events.
struct StreamResponder: Responder {
  /// The control parameter with which a client that cannot set headers resumes.
  private static let lastEventID = "_last_event_id"
  private static let controls: Set<String> = [lastEventID]

  let feed: EventFeed

  init(service: String, in upstreams: UpstreamTable) throws(Problem) { feed = try upstreams.feed(service) }

  var methods: HTTPMethod.Set { .fetch }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("text/event-stream") }

  func respond(to request: GatewayRequest) throws(Problem) {
    let query = try request.query(.topics, controls: Self.controls)
    let filter = try filter(query.topics)
    let headers: [(StaticString, String)] = [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
    let type: StaticString = "text/event-stream; charset=utf-8"
    guard request.method == .get else {
      return request.answer(200, type, headers: headers, UnsafeRawBufferPointer(start: nil, count: 0))
    }
    var opening = ServerSentEvents.opening(retry: feed.settings.retry)
    if request.header(.lastEventID) != nil || query.control(Self.lastEventID) != nil {
      // No history is replayed yet, so what came in between is lost, and is said to be.
      opening += ServerSentEvents.control("gap", #"{"reason":"evicted","missed":null}"#)
    }
    if feed.isUpstream == false { opening += ServerSentEvents.upstream(isUp: false) }
    let stream = EventStream(filter, feed: feed, opening: opening, exchange: request.exchange)
    feed.open(stream)
    request.answer(200, type, headers: headers, stream: stream)
  }

  /// What the client asks for, or all that is offered.
  private func filter(_ topics: [[UInt8]]) throws(Problem) -> TopicFilter {
    let offered = feed.settings.topics.map { Array($0.utf8) }
    for topic in topics where !offered.contains(where: { topic.starts(with: $0) }) {
      throw Problem(
        .noSuchTopic, "\"\(String(decoding: topic, as: UTF8.self))\" is not among the topics of this service.")
    }
    var prefixes: [[UInt8]] = []
    for prefix in topics.isEmpty ? offered : topics where !prefixes.contains(prefix) { prefixes.append(prefix) }
    return TopicFilter(prefixes: prefixes)
  }
}
