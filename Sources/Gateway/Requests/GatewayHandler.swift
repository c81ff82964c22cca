import HTTPServer
import Logging
import Reactor

/// Where a shard's requests arrive: hands each to its connection's `GatewayRequest`, which finds what it needs here.
final class GatewayHandler: Handler {
  /// What has happened since the start.
  struct Counters: Sendable, Hashable {
    /// Calls whose client went away first.
    var abandoned = 0
  }

  let prefix: String
  let logger: Logger
  let loop: Loop
  let buffers = TranscodingBuffers()
  var backends: [String: Upstream] = [:]
  var counters = Counters()
  /// Requests for services are refused; what is under way goes on.
  var isDraining = false

  init(prefix: String, logger: Logger, loop: Loop) {
    self.prefix = prefix
    self.logger = logger
    self.loop = loop
  }

  func begin(_ exchange: Exchange) { request(exchange).begin() }
  func handle(_ exchange: Exchange) { request(exchange).handle() }
  func refused(_ exchange: Exchange, _ refusal: Rejection) { request(exchange).refuse(refusal) }
  func abandoned(_ exchange: Exchange) { request(exchange).abandon() }

  private func request(_ exchange: Exchange) -> GatewayRequest {
    if let request = exchange.context as? GatewayRequest { return request }
    let request = GatewayRequest(exchange, handler: self)
    exchange.context = request
    return request
  }
}
