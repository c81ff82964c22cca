@testable import Gateway

extension Shard {
  /// The hub of the service of that name, if this shard is its home.
  func hub(_ service: String) -> EventHub? { upstreams.services.first { $0.name == service }?.hub }

  /// The feed of the service of that name, if it can be subscribed to.
  func feed(_ service: String) -> EventFeed? { try? upstreams.feed(service, seeing: nil) }
}
