import HTTPServer
import Reactor

/// `/sub/{service}/last`: the last event of a topic, where the service keeps them.
///
/// The answer is the event's `data`. Its id is `Last-Event-ID`: a stream that is asked to go on behind it misses nothing and gets
/// nothing twice. It is the `ETag` too.
struct LastValueResponder: Responder {
  private let feed: EventFeed
  private let access: TopicAccess?

  /// `access` is what the caller may see; nil: everything.
  init(service: String, seeing access: TopicAccess? = nil, in upstreams: UpstreamTable) throws(Problem) {
    feed = try upstreams.feed(service, seeing: access)
    self.access = access
  }

  var methods: HTTPMethod.Set { .fetch }
  var kind: RouteKind { .last }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func respond(to request: GatewayRequest) throws(Problem) {
    let topics = try request.query(.topics)?.topics ?? []
    guard topics.count == 1 else {
      throw Problem(.badQuery, "The last event is that of one topic: topic=..., once, and not \(topics.count) times.")
    }
    let topic = topics[0]
    guard access?.allows(topic) ?? true else { throw .notPermitted }
    guard feed.settings.topics.contains(where: { topic.starts(with: $0.utf8) }) else { throw .topicNotOffered(topic) }
    guard feed.settings.last != nil else {
      throw Problem(
        .noSuchTopic, "This service keeps no last events; subscribe: { last: {} } in its configuration makes it.")
    }
    let pending = PendingAnswer(request) { request, answer in
      if case .last(let event) = answer { request.answer(last: event, of: topic) }
    }
    request.waits(for: pending)
    feed.ask(.last(topic), for: pending)
  }
}

extension GatewayRequest {
  /// Answers with the last event of a topic, or that none is kept.
  fileprivate func answer(last event: Event?, of topic: [UInt8]) {
    guard let event, let parts = event.parts else {
      let name = String(decoding: topic, as: UTF8.self)
      return answer(
        Problem(.noSuchTopic, "No event of exactly the topic \"\(name)\" is kept: none came yet, or it made room."))
    }
    event.text.withUnsafeBytes { text in
      let id = String(decoding: text[ServerSentEvents.id.utf8CodeUnitCount..<parts.id], as: UTF8.self)
      let tag = "\"\(id)\""
      let isKnown = EntityTag.matches(values(of: .ifNoneMatch), tag)
      guard memory.hasRoom(for: text.count) else { return answer(.noMemory(forAnswer: text.count)) }
      let data = text[(parts.id + ServerSentEvents.data.utf8CodeUnitCount)..<(text.count - 2)]
      answer(
        isKnown ? 304 : 200, isKnown ? "" : "application/json",
        headers: [("ETag", tag), ("Last-Event-ID", id), ("Cache-Control", "no-cache")],
        UnsafeRawBufferPointer(rebasing: data))
    }
  }
}
