import HTTPServer
import Metrics
import Reactor
import ZeroMQ
import ZeroMQRPC

/// `/metrics`: what all shards have counted, as Prometheus reads it.
struct MetricsResponder: Responder {
  let upstreams: UpstreamTable
  let scraper: Scraper

  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func respond(to request: GatewayRequest) throws(Problem) {
    try PendingScrape.check(request, upstreams)
    let asked = request.values(of: .accept)
    let isOpen = MediaType.prefers("application/openmetrics-text", over: "text/plain", in: asked)
    let format = isOpen ? MetricsText.Format.openMetrics : .prometheus
    PendingScrape.begin(request, scraper) { request, report in
      let page = MetricsPage(report, upstreams, scraper.operations, as: format, for: request)
      let headers: [(StaticString, String)] = [("Cache-Control", "no-store"), ("Vary", "Accept")]
      request.answer(200, format.contentType, headers: headers, Array(page.text.utf8))
    }
  }
}

/// A request that waits for what the shards say of themselves.
final class PendingScrape: PendingWork {
  typealias Answer = (_ request: GatewayRequest, _ report: ShardReport) -> Void

  /// Who is answered, and how; nil when that is done, or when the client has left.
  private var waiting: (request: GatewayRequest, answer: Answer)?

  private init(_ request: GatewayRequest, _ answer: @escaping Answer) { waiting = (request, answer) }

  /// Refuses a query, and whoever may not name all services: all are in what the shards say.
  static func check(_ request: GatewayRequest, _ upstreams: UpstreamTable) throws(Problem) {
    guard upstreams.services.allSatisfy(request.mayName) else { throw .notPermitted }
    guard request.rawQuery.isEmpty else { throw Problem(.unknownParameter, "This path takes no query.") }
  }

  /// Asks all shards, and has the request answered with what they say.
  static func begin(_ request: GatewayRequest, _ scraper: Scraper, answer: @escaping Answer) {
    let pending = PendingScrape(request, answer)
    request.waits(for: pending)
    // Other threads hold this meanwhile, so it holds nothing of this one.
    scraper.scrape { [weak pending] report in
      guard let (request, answer) = pending?.waiting.take() else { return }
      answer(request, report)
    }
  }

  func cancel() { waiting = nil }
}
