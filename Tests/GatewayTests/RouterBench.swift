import Reactor
import ZeroMQ

@testable import Gateway

/// A shard in front of services that are never connected, for what needs its router. It ends with the process.
enum RouterBench {
  private static let shard = Task { () -> Shard in
    let nobody = [try Endpoint("ipc:///nowhere/at-all")]
    var configuration = Configuration()
    let methods = Configuration.Methods(hide: ["secret"], safe: ["get*"])
    configuration.services = ["math", "a.b-c_D9", "_a", RouterTests.name255].map {
      .init($0, .rpc(.init(connect: nobody)), methods: methods)
    }
    let publish = Configuration.Publish(connect: nobody)
    let subscribe = Configuration.Subscribe(connect: nobody)
    configuration.services += [
      .init("jobs", .pipeline(.init(connect: nobody)), methods: methods),
      .init("news", .pubsub(.init(publish: publish, subscribe: subscribe)), methods: methods),
      .init("loud", .pubsub(.init(publish: publish))), .init("quiet", .pubsub(.init(subscribe: subscribe))),
    ]
    let shard = Shard(try Reactor(name: "router"), .init(), logger: Rig.logger)
    try await shard.open(
      configuration, shards: [shard],
      shared: configuration.services.map {
        SharedService(
          $0, memory: MemoryBudget(limit: 1 << 30), transcoding: BackgroundQueue(name: "test"), logger: Rig.logger)
      },
      context: Context(),
      logger: Rig.logger)
    return shard
  }

  /// Lends a router with that prefix, on its shard.
  static func with<Result: Sendable>(
    prefix: String = "", _ body: @Sendable (Router) throws -> Result
  ) async throws -> Result {
    try await shard.value.lend(prefix, body)
  }
}

extension Shard {
  fileprivate func lend<Result: Sendable>(
    _ prefix: String, _ body: @Sendable (Router) throws -> Result
  ) throws -> Result {
    try body(Router(upstreams, prefix: prefix, scraper: Scraper([self], on: self)))
  }
}
