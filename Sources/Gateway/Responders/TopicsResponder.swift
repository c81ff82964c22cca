import HTTPServer
import MessagePack

/// `/sub/{service}/topics`: what the streams of the service ask for now, on all shards.
struct TopicsResponder: Responder {
  let feed: EventFeed

  /// A verb that the path never takes is told so before the service is looked for.
  init(service: String, _ method: HTTPMethod, in upstreams: UpstreamTable) throws(Problem) {
    let allow = HTTPMethod.Set.fetch
    guard allow.contains(method) else {
      throw Problem(.methodNotAllowed, "This path takes \(allow.allow).", allow: allow.allow)
    }
    feed = try upstreams.feed(service)
  }

  var methods: HTTPMethod.Set { .fetch }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard request.rawQuery.isEmpty else { throw Problem(.unknownParameter, "This path takes no query.") }
    let pending = PendingTopics(request)
    request.waits(for: pending)
    feed.askTopics(for: pending)
  }
}

/// A request for the topics of a service, which its hub knows.
final class PendingTopics: PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  private var request: GatewayRequest?

  init(_ request: GatewayRequest) { self.request = request }

  func answer(_ topics: LiveTopics) { request.take()?.answer(200, "application/json", topics.json) }

  func refused(_ problem: Problem) { request.take()?.answer(problem) }

  func cancel() { request = nil }
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
