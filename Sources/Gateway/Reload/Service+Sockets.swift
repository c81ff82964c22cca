extension Configuration.Service {
  /// Whether the sockets of the other one, and what is kept of its events, can serve this one. What else differs, they can be told.
  func hasTheSockets(of other: Configuration.Service) -> Bool { socketsOnly == other.socketsOnly }

  /// The service with defaults in the place of all that its sockets can be told while they are open: what they connect to, for one, but not
  /// what they bind to, nor options that count for connections that are made later.
  private var socketsOnly: Configuration.Service {
    var service = Configuration.Service(name, pattern)
    service.curve = curve
    switch pattern {
    case .rpc(let rpc):
      var plain = Configuration.RPC(connect: [])
      (plain.bind, plain.replyLimit) = (rpc.bind, rpc.replyLimit)
      service.pattern = .rpc(plain)
    case .pipeline(let pipeline):
      var plain = Configuration.Pipeline(connect: [])
      plain.bind = pipeline.bind
      service.pattern = .pipeline(plain)
    case .pubsub(let pubsub):
      var plain = Configuration.PubSub()
      plain.publish = pubsub.publish.map { publish in
        var plain = Configuration.Publish(connect: [])
        plain.bind = publish.bind
        return plain
      }
      plain.subscribe = pubsub.subscribe.map { subscribe in
        var plain = Configuration.Subscribe(connect: [])
        (plain.bind, plain.eventLimit) = (subscribe.bind, subscribe.eventLimit)
        return plain
      }
      service.pattern = .pubsub(plain)
    }
    return service
  }
}
