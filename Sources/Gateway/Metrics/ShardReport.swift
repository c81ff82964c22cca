import GatewaySecurity
import HTTPServer
import Metrics
import Reactor
import ZeroMQ
import ZeroMQRPC

/// What a shard has counted, or several of them together.
struct ShardReport: Sendable {
  var accounts = Accounts()
  var requests = RequestCounters()
  /// Of each service that can be called.
  var methods: [String: MethodCounters] = [:]
  /// Open streams, of each service that can be subscribed to.
  var streams: [String: Int] = [:]
  /// What all shards share; nil before they listen.
  var openConnections: OpenConnections?
  /// The same; nil where nothing is limited.
  var limiter: ClientLimiter?
  /// The same; nil where nobody is told apart.
  var tickets: TicketTable<Ticket>?
  /// Calls that were shed, of each service that can be called.
  var shed: [String: ShedCalls] = [:]
  /// What was asked of the service that decides; nil where none does.
  var decisions: DecisionReport?
  var retriedCalls = 0
  var hedgedCalls = 0
  var replacedConnections = 0

  /// Adds what is counted of the methods of a service.
  mutating func count(_ counters: MethodCounters, of service: String) {
    guard methods[service] != nil else { return methods[service] = counters }
    methods[service]?.add(counters)
  }

  /// Adds that of another shard.
  mutating func add(_ other: ShardReport) {
    accounts = accounts + other.accounts
    requests.add(other.requests)
    for (service, counters) in other.methods { count(counters, of: service) }
    streams.merge(other.streams, uniquingKeysWith: +)
    openConnections = openConnections ?? other.openConnections
    limiter = limiter ?? other.limiter
    tickets = tickets ?? other.tickets
    if let more = other.decisions { decisions = decisions.map { $0 + more } ?? more }
    shed.merge(other.shed, uniquingKeysWith: +)
    retriedCalls += other.retriedCalls
    hedgedCalls += other.hedgedCalls
    replacedConnections += other.replacedConnections
  }
}

/// Asks all shards what they have counted.
final class Scraper {
  /// What is known of the gateway as a whole.
  let operations: Operations
  private let shards: [Shard]
  /// The shard on which it is asked.
  private let own: Shard

  init(_ shards: [Shard], _ operations: Operations = .init(), on own: Shard) {
    self.shards = shards
    self.operations = operations
    self.own = own
  }

  /// Hands over the sum, in a later turn of its shard. Other threads may be the last to hold `done`.
  func scrape(_ done: @escaping (ShardReport) -> Void) {
    let gathered = Guarded((sum: ShardReport(), missing: shards.count))
    // Safe: it is called where this is, on the shard's own thread, and holds nothing that may not be let go elsewhere.
    nonisolated(unsafe) let done = done
    for shard in shards {
      shard.report { [own] report in
        let sum = gathered.withLock { gathered -> ShardReport? in
          gathered.sum.add(report)
          gathered.missing -= 1
          return gathered.missing == 0 ? gathered.sum : nil
        }
        if let sum { own.reactor.submit { done(sum) } }
      }
    }
  }
}
