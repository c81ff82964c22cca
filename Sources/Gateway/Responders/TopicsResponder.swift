import HTTPServer
import MessagePack

/// `/sub/{service}/topics`: what the streams of the service ask for now, on all shards.
struct TopicsResponder: Responder {
  private let feed: EventFeed
  private let access: TopicAccess?

  /// `access` is what the caller may see; nil: everything.
  init(service: String, seeing access: TopicAccess? = nil, in upstreams: UpstreamTable) throws(Problem) {
    feed = try upstreams.feed(service, seeing: access)
    self.access = access
  }

  var methods: HTTPMethod.Set { .fetch }
  var kind: RouteKind { .topics }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard request.rawQuery.isEmpty else { throw Problem(.unknownParameter, "This path takes no query.") }
    let pending = PendingAnswer(request) { request, answer in
      if case .topics(let topics) = answer { request.answer(200, "application/json", topics.json) }
    }
    request.waits(for: pending)
    feed.ask(.topics(seen: access), for: pending)
  }
}

extension LiveTopics {
  fileprivate var json: [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.key("topics")
    json.open("[")
    for topic in topics {
      json.open("{")
      json.key("topic")
      json.text(topic.prefix)
      json.member("streams", topic.streams)
      json.close("}")
    }
    json.close("]")
    json.member("streams", streams)
    json.member("truncated", !isWhole)
    json.close("}")
    return json.bytes
  }
}
