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
    // All services are in it.
    guard upstreams.services.allSatisfy({ request.mayName($0.name) }) else { throw .notPermitted }
    guard request.rawQuery.isEmpty else { throw Problem(.unknownParameter, "This path takes no query.") }
    let pending = PendingScrape(request, upstreams)
    request.waits(for: pending)
    // Other threads hold this meanwhile, so it holds nothing of this one.
    scraper.scrape { [weak pending, operations = scraper.operations] report in
      guard let pending, let request = pending.request.take() else { return }
      let page = MetricsPage(report, pending.upstreams, operations, for: request)
      request.answer(200, MetricsText.contentType, headers: [("Cache-Control", "no-store")], Array(page.text.utf8))
    }
  }
}

/// A request that waits for what the shards say of themselves.
final class PendingScrape: PendingWork {
  /// Who is answered; nil when that is done, or when the client has left.
  var request: GatewayRequest?
  let upstreams: UpstreamTable

  init(_ request: GatewayRequest, _ upstreams: UpstreamTable) { (self.request, self.upstreams) = (request, upstreams) }

  func cancel() { request = nil }
}
