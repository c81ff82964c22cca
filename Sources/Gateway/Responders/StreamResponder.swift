import HTTPServer

/// `/sub/{service}`: a stream of the service's events.
///
/// The feed is asked to open an `EventStream`. The request waits in a `PendingStream` until the service's hub has said yes or
/// no; then the exchange reads the stream, or a problem is answered.
struct StreamResponder: Responder {
  /// The control parameters with which a client that cannot set headers resumes, the stronger first: what the polyfills of
  /// EventSource send when they connect again is newer than what a page wrote into its URL.
  private static let lastEventIDs = ["lastEventId", "_last_event_id"]
  /// Each event is held against each of them, of each stream that may want it.
  private static let patternsPerStream = 16
  private static let name = "_event"
  private static let data = "_data"
  private static let wait = "_poll"
  private static let controls = Set(lastEventIDs + ["_from", name, data, wait, Ticket.parameter])
  static let type = EventShape().contentType
  static let headers: [(StaticString, String)] = [
    ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
  ]

  private let feed: EventFeed
  private let access: TopicAccess?

  /// `access` is what the caller may see; nil: everything.
  init(service: String, seeing access: TopicAccess? = nil, in upstreams: UpstreamTable) throws(Problem) {
    feed = try upstreams.feed(service, seeing: access)
    self.access = access
  }

  var methods: HTTPMethod.Set { .fetch }
  var kind: RouteKind { .sub }

  /// Refuses a client that does not want what the stream is.
  private static func checkAccept(_ request: GatewayRequest, _ shape: EventShape) throws(Problem) {
    if shape.wait != nil { return try request.checkAccept("application/json") }
    if shape.isJSONLines || MediaType.accepts(request.values(of: .accept), "text/event-stream") { return }
    throw Problem(
      .notAcceptable,
      "A stream is text/event-stream or \(MediaType.lines), and with \(wait)=20 application/json; name what you want in Accept."
    )
  }

  /// The topics that a query asks for, whatever else it says.
  static func topics(_ query: UnsafeRawBufferPointer) throws(Problem) -> [[UInt8]] {
    if query.isEmpty { return [] }
    return try Query(query.assumingMemoryBound(to: UInt8.self).span, .topics, controls: controls).topics
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
    let asked = query?.topics ?? []
    let filter = try filter(try request.ticket?.topics(asked: asked) ?? asked)
    let start = try start(request, query)
    let shape = try Self.shape(request, query)
    guard request.method == .get else { return request.answer(with: EmptyStream(), shape) }
    let permit = try StreamPermit(request)
    request.waits(for: pending)
    pending.isResuming = start != nil && start != .snapshot
    feed.open(
      EventStream(
        filter, shape, from: start ?? .latest, permit: permit, feed: feed, exchange: request.exchange, opener: pending))
  }

  /// How long the client of a poll waits.
  private static func seconds(_ text: String) throws(Problem) -> Duration {
    guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") }), let seconds = Double(text),
      seconds <= Double(EventPoll.longestWait)
    else {
      throw Problem(
        .badQuery, "\"\(wait)\" is a number of seconds from 0 to \(EventPoll.longestWait), not \"\(text)\".")
    }
    return .seconds(seconds)
  }

  /// What the client asks the events to look like.
  private static func shape(_ request: GatewayRequest, _ query: Query?) throws(Problem) -> EventShape {
    var shape = EventShape()
    shape.wait = try query?.control(wait).map(seconds)
    shape.isJSONLines = shape.wait != nil || wantsLines(request)
    try checkAccept(request, shape)
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
  private static func tooMany(_ count: Int, _ most: Int, _ kind: String = "") -> Problem {
    var problem = Problem(
      .tooManyTopics, "A stream may name \(most) topics\(kind), not \(count); name a prefix that covers several.")
    problem.status = 400
    problem.isRetryable = false
    problem.retryAfter = nil
    return problem
  }

  /// Where the client wants the stream to begin; nil when it does not say. The event that it saw last counts before `_from`, and of
  /// those the header before the query, as a browser sends it when it connects again to a URL that may name an older one. An empty id
  /// says nothing: the client has seen none.
  private func start(_ request: GatewayRequest, _ query: Query?) throws(Problem) -> Resumption.Start? {
    let from = try query?.control("_from").map { text throws(Problem) in try Self.start(from: text) }
    if from == .snapshot, feed.settings.last == nil {
      throw Problem(
        .badQuery,
        "This service keeps no last events to begin with; subscribe: { last: {} } in its configuration makes it.")
    }
    if let header = request.header(.lastEventID), !header.isEmpty {
      return .after(String(decoding: header, as: UTF8.self))
    }
    for name in Self.lastEventIDs {
      if let id = query?.control(name), !id.isEmpty { return .after(id) }
    }
    return from
  }

  private static func start(from text: String) throws(Problem) -> Resumption.Start {
    switch text {
    case "latest": .latest
    case "earliest": .earliest
    case "snapshot": .snapshot
    default: throw Problem(.badQuery, "\"_from\" is latest, earliest or snapshot, not \"\(text)\".")
    }
  }

  /// Refuses topics that no stream of this caller could ask for.
  func check(_ topics: [[UInt8]]) throws(Problem) { _ = try filter(topics) }

  /// What the client asks for, or all that is offered.
  private func filter(_ topics: [[UInt8]]) throws(Problem) -> TopicFilter {
    let most = feed.settings.topicsPerStream
    if topics.count > most { throw Self.tooMany(topics.count, most) }
    let offered = feed.settings.prefixes
    var prefixes: [[UInt8]] = []
    var patterns: [TopicPattern] = []
    for topic in topics {
      let pattern = TopicPattern(topic)
      let prefix = pattern?.prefix ?? (TopicPattern.takesRest(topic) ? Array(topic.dropLast()) : topic)
      // Nothing of it would ever come.
      guard access?.mayAllow(prefix: prefix) ?? true else { throw .notPermitted }
      guard offered.contains(where: { prefix.starts(with: $0) }) else { throw .topicNotOffered(topic) }
      if let pattern { patterns.append(pattern) } else { prefixes.append(prefix) }
    }
    guard patterns.count <= Self.patternsPerStream else {
      throw Self.tooMany(patterns.count, Self.patternsPerStream, " with wildcards")
    }
    if topics.isEmpty { prefixes = offered.filter { access?.mayAllow(prefix: $0) ?? true } }
    return TopicFilter(prefixes: prefixes, patterns: patterns, access: access)
  }
}

extension GatewayRequest {
  /// Answers with a stream of that shape.
  fileprivate func answer(
    with stream: any BodyStream, _ shape: EventShape, headers: [(StaticString, String)] = StreamResponder.headers
  ) {
    answer(200, shape.contentType, headers: headers, stream: stream)
  }
}

/// What HEAD gets: the head of a stream, whose length nobody knows.
final class EmptyStream: BodyStream {
  let endsByItself = true
  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead { .end }
  func closed() {}
}

/// A stream that is being opened, and the answer that comes of it.
private final class PendingStream: StreamOpener, PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  private(set) var request: GatewayRequest?
  /// Whether the client has said where the stream is to begin, and is told where it does.
  var isResuming = false

  init(_ request: GatewayRequest) { self.request = request }

  func opened(_ stream: EventStream, after id: EventID) {
    guard let request = request.take() else { return stream.closed() }
    var headers = StreamResponder.headers
    if isResuming { headers.append(("Stream-Resumed-From", id.description)) }
    request.answer(with: stream, stream.shape, headers: headers)
  }

  func refused(_ problem: Problem) { request.take()?.answer(problem) }

  /// From here on the exchange may have another request, which is not this one's to answer.
  func cancel() { request = nil }
}
