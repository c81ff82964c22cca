import HTTPServer

/// `/sub/{service}`: a stream of the service's events.
///
/// The feed is asked to open an `EventStream`. The request waits in a `PendingStream` until the service's hub has said yes or
/// no; then the exchange reads the stream, or a problem is answered.
struct StreamResponder: Responder {
  /// The control parameters with which a client that cannot set headers resumes, the stronger first: what the polyfills of
  /// EventSource send when they connect again is newer than what a page wrote into its URL.
  private static let lastEventIDs = ["lastEventId", "_last_event_id"]
  private static let name = "_event"
  private static let data = "_data"
  private static let controls = Set(lastEventIDs).union([name, data])
  static let type: StaticString = "text/event-stream; charset=utf-8"
  static let headers: [(StaticString, String)] = [
    ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
  ]

  let feed: EventFeed

  init(service: String, in upstreams: UpstreamTable) throws(Problem) { feed = try upstreams.feed(service) }

  var methods: HTTPMethod.Set { .fetch }

  func begin(_ request: GatewayRequest) throws(Problem) {
    if Self.wantsLines(request) || MediaType.accepts(request.values(of: .accept), "text/event-stream") { return }
    throw Problem(
      .notAcceptable,
      "A stream is text/event-stream or \(MediaType.lines); name one of them in Accept, or leave Accept out.")
  }

  private static func wantsLines(_ request: GatewayRequest) -> Bool {
    request.header(.accept) != nil && MediaType.prefersLines(request.values(of: .accept), over: "text/event-stream")
  }

  /// The longest query that is read at once. Streams of hundreds of topics may be asked for by the thousand.
  private static let shortQuery = 512

  func respond(to request: GatewayRequest) throws(Problem) {
    let pending = PendingStream(request)
    let length = request.rawQuery.count
    guard length > Self.shortQuery else { return try open(pending, for: request) }
    request.waits(for: pending)
    feed.readQuery(ofBytes: length) {
      guard let request = pending.request else { return }
      do throws(Problem) {
        try open(pending, for: request)
      } catch {
        pending.refused(error)
      }
    }
  }

  private func open(_ pending: PendingStream, for request: GatewayRequest) throws(Problem) {
    let query = try request.query(.topics, controls: Self.controls)
    let filter = try filter(query?.topics ?? [])
    let shape = try Self.shape(request, query)
    guard request.method == .get else { return request.answer(with: EmptyStream(), shape) }
    var opening = ServerSentEvents.opening(retry: feed.settings.retry)
    if isResuming(request, query) {
      // No history is replayed yet, so what came in between is lost, and is said to be.
      opening += ServerSentEvents.control("gap", #"{"reason":"evicted","missed":null}"#)
    }
    request.waits(for: pending)
    feed.open(EventStream(filter, shape, feed: feed, opening: opening, exchange: request.exchange, opener: pending))
  }

  /// What the client asks the events to look like.
  private static func shape(_ request: GatewayRequest, _ query: Query?) throws(Problem) -> EventShape {
    var shape = EventShape()
    shape.isJSONLines = wantsLines(request)
    if let text = query?.control(data) {
      guard text == "args" else { throw Problem(.badQuery, "\"\(data)\" takes args, and not \"\(text)\".") }
      shape.hasArgumentsOnly = true
    }
    if let text = query?.control(name) {
      guard let name = EventShape.Name(rawValue: text) else {
        throw Problem(.badQuery, "\"\(Self.name)\" takes method or topic, and not \"\(text)\".")
      }
      guard !shape.isJSONLines else {
        throw Problem(.badQuery, "\"\(Self.name)\" names events of text/event-stream; lines of JSON have no names.")
      }
      shape.name = name
    }
    return shape
  }

  /// A stream asks for more than one may. Waiting does not help.
  private static func tooMany(_ count: Int, _ most: Int) -> Problem {
    var problem = Problem(
      .tooManyTopics, "A stream may name \(most) topics, not \(count); name a prefix that covers several.")
    problem.status = 400
    problem.isRetryable = false
    problem.retryAfter = nil
    return problem
  }

  /// Whether the client says which event it saw last. The header counts before the query, as a browser sends it when it connects
  /// again to a URL that may name an older one. An empty id says nothing: the client has seen none.
  private func isResuming(_ request: GatewayRequest, _ query: Query?) -> Bool {
    if request.header(.lastEventID)?.isEmpty == false { return true }
    return Self.lastEventIDs.contains { query?.control($0)?.isEmpty == false }
  }

  /// What the client asks for, or all that is offered.
  private func filter(_ topics: [[UInt8]]) throws(Problem) -> TopicFilter {
    let most = feed.settings.topicsPerStream
    if topics.count > most { throw Self.tooMany(topics.count, most) }
    let offered = feed.settings.topics.map { Array($0.utf8) }
    for topic in topics where !offered.contains(where: { topic.starts(with: $0) }) {
      throw .topicNotOffered(topic)
    }
    return TopicFilter(prefixes: topics.isEmpty ? offered : topics)
  }
}

extension GatewayRequest {
  /// Answers with a stream of that shape.
  fileprivate func answer(with stream: any BodyStream, _ shape: EventShape) {
    answer(
      200, shape.isJSONLines ? MediaType.lines : StreamResponder.type, headers: StreamResponder.headers, stream: stream)
  }
}

/// What HEAD gets: the head of a stream, whose length nobody knows.
final class EmptyStream: BodyStream {
  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead { .end }
  func closed() {}
}

/// A stream that is being opened, and the answer that comes of it.
private final class PendingStream: StreamOpener, PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  private(set) var request: GatewayRequest?

  init(_ request: GatewayRequest) { self.request = request }

  func opened(_ stream: EventStream) {
    guard let request = request.take() else { return stream.closed() }
    request.answer(with: stream, stream.shape ?? EventShape())
  }

  func refused(_ problem: Problem) { request.take()?.answer(problem) }

  /// From here on the exchange may have another request, which is not this one's to answer.
  func cancel() { request = nil }
}
