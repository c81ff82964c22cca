/// The services of a configuration as one shard reaches them. It is built as a whole and never changes: another configuration makes
/// another table.
final class UpstreamTable {
  /// All services, in the order of the configuration.
  let services: [ShardService]
  /// How many items a batch may have.
  let longestBatch: Int
  /// What every path begins with, such as `/api`.
  private let prefix: String
  private let upstreams: [String: Upstream]

  /// A table of these services, whose names differ.
  init(_ services: [ShardService] = [], longestBatch: Int = 0, prefix: String = "") {
    self.services = services
    self.prefix = prefix
    self.longestBatch = longestBatch
    upstreams = Dictionary(uniqueKeysWithValues: services.map { ($0.name, $0.upstream) })
  }

  /// The service of that name, whatever its pattern.
  func upstream(_ name: String) throws(Problem) -> Upstream {
    guard let upstream = upstreams[name] else { throw missing(name, .any) }
    return upstream
  }

  /// Whether that is a service whose calls have no reply.
  func isPipeline(_ name: String) -> Bool { if case .pipeline? = upstreams[name] { true } else { false } }

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

  /// Where events on that topic for the service of that name go. One with whose topics a caller with these permissions may do nothing is not
  /// there for them; nil: everything may be done.
  func publishing(
    _ name: String, on topic: [UInt8], for permissions: Permissions?
  ) throws(Problem) -> OneWayUpstream {
    guard case .pubsub(let upstream)? = upstreams[name], let publishing = upstream.publishing else {
      throw missing(name, .publishing)
    }
    guard upstream.topics.contains(where: topic.starts(with:)) else {
      let mayPublish = permissions?.mayPublish(to: name, offering: upstream.topics) ?? true
      throw mayPublish ? .topicNotOffered(topic) : missing(name, .publishing)
    }
    return publishing
  }

  /// What streams of the service of that name read. One that offers nothing of what may be seen is not there; nil: everything may be seen.
  func feed(_ name: String, seeing access: TopicAccess?) throws(Problem) -> EventFeed {
    guard case .pubsub(let upstream)? = upstreams[name], let feed = upstream.feed,
      access?.mayAllow(offered: feed.settings.prefixes) ?? true
    else { throw missing(name, .feed) }
    return feed
  }

  /// What is wrong with what is asked of the service of that name, as a caller with these permissions hears it: one of which they may do
  /// nothing is not there.
  func refusal(_ problem: Problem, of name: String, to permissions: Permissions?) -> Problem {
    guard let permissions, let service = services.first(where: { $0.name == name }) else { return problem }
    return permissions.mayReach(service.configuration) ? problem : missing(name, .any)
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
    if let other = upstreams[name] {
      return Problem(.noSuchService, "\"\(name)\" is no \(use.rawValue); \(ways(to: other, name)).")
    }
    let nearest = name.nearestName(among: names(for: use)).map { "; did you mean \"\($0)\"?" } ?? "."
    return Problem(.noSuchService, "There is no service \"\(name)\" here\(nearest)")
  }

  /// What the service is, and how it is asked.
  private func ways(to upstream: Upstream, _ name: String) -> String {
    func path(_ route: String) -> String {
      prefix + (RouteHints.templates[route] ?? "").replacing("{service}", with: name)
    }
    switch upstream {
    case .rpc: return "it is of pattern rpc, called by \(path("rpc"))"
    case .pipeline: return "it is a pipeline, called by \(path("push"))"
    case .pubsub(let pubsub):
      let published = pubsub.publishing == nil ? nil : "published to by \(path("pub"))"
      let followed = pubsub.feed == nil ? nil : "followed at \(path("sub"))"
      return "it is of pattern pubsub, " + [published, followed].compactMap(\.self).joined(separator: " and ")
    }
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
