import HTTPServer
import Logging
import Reactor

/// Where a shard's requests arrive: hands each to its connection's `Visit`, which finds what it needs here.
final class Desk: Handler {
  /// What has happened since the start.
  struct Counters: Sendable, Hashable {
    /// Calls whose client went away first.
    var abandoned = 0
    /// Streams ended because they read too slowly.
    var lagged = 0
  }

  let prefix: String
  let logger: Logger
  let loop: Loop
  let scratch = Scratch()
  var backends: [String: Backend] = [:]
  var counters = Counters()
  /// Requests for services are refused; what is under way goes on.
  var isDraining = false

  init(prefix: String, logger: Logger, loop: Loop) {
    self.prefix = prefix
    self.logger = logger
    self.loop = loop
  }

  func begin(_ exchange: Exchange) { visit(exchange).begin() }
  func handle(_ exchange: Exchange) { visit(exchange).handle() }
  func refused(_ exchange: Exchange, _ refusal: HTTPServer.Refusal) { visit(exchange).refuse(refusal) }
  func abandoned(_ exchange: Exchange) { visit(exchange).abandon() }

  private func visit(_ exchange: Exchange) -> Visit {
    if let visit = exchange.context as? Visit { return visit }
    let visit = Visit(exchange, desk: self)
    exchange.context = visit
    return visit
  }
}
