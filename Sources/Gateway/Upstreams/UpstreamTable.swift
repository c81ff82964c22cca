import Logging
import Reactor
import ZeroMQ
import ZeroMQRPC

/// The services of a configuration as one shard reaches them. It is built as a whole and never changes: another configuration makes
/// another table.
final class UpstreamTable {
  /// A service: its upstream, and whether the gateway is ready only while it can be used.
  struct Service {
    let configuration: Configuration.Service
    let upstream: Upstream
    /// What all shards know of it.
    let shared: SharedService

    var name: String { configuration.name }
    var isRequired: Bool { configuration.isRequired }
    /// The methods that are known by name.
    var knownMethods: [KnownMethod] { configuration.knownMethods(shared.description) }
  }

  /// All services, in the order of the configuration.
  let services: [Service]
  /// How many items a batch may have.
  let longestBatch: Int
  private let upstreams: [String: Upstream]
  private let distantSockets: [String: DistantSocket]

  /// A table of no services.
  init() {
    services = []
    distantSockets = [:]
    longestBatch = 0
    upstreams = [:]
  }

  /// Opens the sockets of all services. Throws, with all of them closed, when an endpoint cannot be used. `feeds` are the
  /// shard's ends of the services that can be subscribed to, `distant` are the sockets that another shard has, and `shared` is what the
  /// shards share of each service, in the order of the configuration.
  init(
    _ configuration: Configuration, feeds: [String: EventFeed], distant: [String: DistantSocket],
    shared: [SharedService], context: Context, loop: Loop, logger: Logger
  ) throws {
    var services: [Service] = []
    do {
      for (service, shared) in zip(configuration.services, shared) {
        var logger = logger
        logger[metadataKey: "service"] = "\(service.name)"
        let distant = distant[service.name]
        let upstream: Upstream = try UnusableService.check(service.name) {
          switch service.pattern {
          case .rpc(let rpc):
            .rpc(
              try RPCUpstream(
                service, rpc, in: configuration, shared: shared, distant: distant, context: context, loop: loop,
                logger: logger))
          case .pipeline(let pipeline):
            .pipeline(
              try OneWayUpstream(
                .pipeline, connect: pipeline.connect, bind: pipeline.bind, of: service, in: configuration,
                shared: shared, distant: distant, context: context, loop: loop, logger: logger))
          case .pubsub(let pubsub):
            .pubsub(
              try PubSubUpstream(
                service, pubsub, in: configuration, feed: feeds[service.name], shared: shared, distant: distant,
                context: context, loop: loop, logger: logger))
          }
        }
        services.append(Service(configuration: service, upstream: upstream, shared: shared))
      }
    } catch {
      for service in services { service.upstream.close() }
      throw error
    }
    self.services = services
    distantSockets = distant
    longestBatch = configuration.http.limits.batch
    upstreams = Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0.upstream) })
  }

  /// The service of that name, whatever its pattern.
  func upstream(_ name: String) throws(Problem) -> Upstream {
    guard let upstream = upstreams[name] else { throw missing(name, .any) }
    return upstream
  }

  /// The request-reply service of that name.
  func rpc(_ name: String) throws(Problem) -> RPCUpstream {
    guard case .rpc(let upstream)? = upstreams[name] else { throw missing(name, .rpc) }
    return upstream
  }

  /// The pipeline service of that name.
  func pipeline(_ name: String) throws(Problem) -> OneWayUpstream {
    guard case .pipeline(let upstream)? = upstreams[name] else { throw missing(name, .pipeline) }
    return upstream
  }

  /// Where events on that topic for the service of that name go.
  func publishing(_ name: String, on topic: [UInt8]) throws(Problem) -> OneWayUpstream {
    guard case .pubsub(let upstream)? = upstreams[name], let publishing = upstream.publishing else {
      throw missing(name, .publishing)
    }
    guard upstream.topics.contains(where: topic.starts(with:)) else { throw .topicNotOffered(topic) }
    return publishing
  }

  /// What streams of the service of that name read.
  func feed(_ name: String) throws(Problem) -> EventFeed {
    guard case .pubsub(let upstream)? = upstreams[name], let feed = upstream.feed else {
      throw missing(name, .feed)
    }
    return feed
  }

  /// Another shard asks something of a service whose socket is here.
  func receive(_ request: DistantSocket.Request, of service: String, from shard: Shard) {
    switch (request, upstreams[service]) {
    case (.send(let call, let number), .pipeline(let upstream)):
      shard.tell(service, upstream.receive(call), of: number)
    case (.send(let call, let number), .pubsub(let upstream)):
      let closed = DistantSocket.Outcome.failed(CallFailure(.closed, sent: false))
      shard.tell(service, upstream.publishing?.receive(call) ?? closed, of: number)
    case (_, .rpc(let upstream)): upstream.visitingCalls?.receive(request, from: shard)
    // The shard is closed.
    case (.call(_, let number, _, _), _), (.send(_, let number), _):
      shard.tell(service, .failed(CallFailure(.closed, sent: false)), of: number)
    case (.cancel, _), (.expire, _): break
    }
  }

  /// The home of a service tells what became of a call that was handed over.
  func receive(_ outcome: DistantSocket.Outcome, of number: UInt32, at service: String) {
    distantSockets[service]?.receive(outcome, of: number)
  }

  /// What has become of calls that had no reply in time, and of requests that made none.
  func count(into accounts: inout Accounts) {
    for service in services {
      guard case .rpc(let upstream) = service.upstream else { continue }
      accounts.joinedCalls += upstream.sharedCalls.counters.joined
      accounts.keptResults += upstream.sharedCalls.counters.kept
      guard let counters = upstream.counters else { continue }
      accounts.queueTimeouts += counters.queueTimeouts
      accounts.timeouts += counters.timeouts
      accounts.lateReplies = accounts.lateReplies + counters.lateReplies
    }
  }

  /// Adds what is counted of calls.
  func count(into report: inout ShardReport) {
    for service in services {
      guard case .rpc(let upstream) = service.upstream else { continue }
      report.methods[service.name] = upstream.methodCounters
      guard let counters = upstream.counters else { continue }
      report.retriedCalls += counters.retriedCalls
      report.hedgedCalls += counters.hedgedCalls
      report.replacedConnections += counters.replacedConnections
    }
  }

  /// The gateway stops: streams of watched calls end.
  func drain() {
    for service in services {
      if case .rpc(let upstream) = service.upstream { upstream.watches.drain() }
    }
  }

  func close() {
    for service in services { service.upstream.close() }
  }

  /// What is asked of a service.
  private enum Use: String {
    case any = "service"
    case rpc = "rpc service"
    case pipeline
    case publishing = "pubsub service that can be published to"
    case feed = "pubsub service that can be subscribed to"

    func fits(_ upstream: Upstream) -> Bool {
      switch (self, upstream) {
      case (.any, _), (.rpc, .rpc), (.pipeline, .pipeline): true
      case (.publishing, .pubsub(let upstream)): upstream.publishing != nil
      case (.feed, .pubsub(let upstream)): upstream.feed != nil
      default: false
      }
    }
  }

  private func missing(_ name: String, _ use: Use) -> Problem {
    if upstreams[name] != nil { return Problem(.noSuchService, "\"\(name)\" is no \(use.rawValue).") }
    let nearest = name.nearestName(among: names(for: use)).map { "; did you mean \"\($0)\"?" } ?? "."
    return Problem(.noSuchService, "There is no service \"\(name)\" here\(nearest)")
  }

  private func names(for use: Use) -> [String] { services.filter { use.fits($0.upstream) }.map(\.name) }

  /// The services that are called at `/rpc`, `/push` or `/pub`.
  func names(at route: String) -> [String] {
    switch route {
    case "push": names(for: .pipeline)
    case "pub": names(for: .publishing)
    default: names(for: .rpc)
    }
  }
}
