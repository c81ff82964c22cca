extension Configuration.Service {
  /// Whether the sockets of the other one, and what is kept of its events, can serve this one. What else differs, they can be told.
  func hasTheSockets(of other: Configuration.Service) -> Bool {
    // What was pushed to a worker that is gone leaves only by a socket that closes.
    if case (.pipeline(let pipeline), .pipeline(let former)) = (pattern, other.pattern),
      !Set(pipeline.connect).isSuperset(of: former.connect)
    {
      return false
    }
    return socketsOnly == other.socketsOnly
  }

  /// Whether calls of the other one that are watched may go on as this one's: their callers see no difference.
  func isWatched(as other: Configuration.Service) -> Bool { asWatched == other.asWatched }

  private var asWatched: Configuration.Service {
    var service = self
    service.isRequired = true
    if case .rpc(let rpc) = pattern {
      var plain = Configuration.RPC(connect: [])
      (plain.errors, plain.watch, plain.routes) = (rpc.errors, rpc.watch, rpc.routes)
      service.pattern = .rpc(plain)
    }
    return service
  }

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
