/// What a caller reaches of a service, as far as it is known by name: what the documents tell them of.
struct ReachableService: Hashable {
  let configuration: Configuration.Service
  /// In the order of their names.
  let methods: [KnownMethod]
  let routes: [Configuration.Route]
  /// Whether there are events that may be followed.
  let hasEvents: Bool

  /// With what the service says of itself. `permissions` are the caller's; nil: everything.
  init(
    _ configuration: Configuration.Service, _ description: ServiceDescription?, for permissions: Permissions? = nil
  ) {
    self.configuration = configuration
    let name = configuration.name
    let methods = configuration.knownMethods(description)
    func mayCall(_ method: String) -> Bool { permissions?.allow(calling: method, of: name) ?? true }
    switch configuration.pattern {
    case .rpc(let rpc):
      self.methods = methods.filter { mayCall($0.name.text) }
      routes = rpc.routes.filter { mayCall($0.method) }
      hasEvents = false
    case .pipeline:
      self.methods = methods.filter { mayCall($0.name.text) }
      (routes, hasEvents) = ([], false)
    case .pubsub(let pubsub):
      let prefixes = pubsub.publish?.prefixes ?? []
      self.methods = methods.filter {
        !prefixes.isEmpty && permissions?.mayPublish($0.name.text, to: name, offering: prefixes) ?? true
      }
      routes = []
      hasEvents = pubsub.subscribe.map { permissions?.maySubscribe(to: name, offering: $0.prefixes) ?? true } ?? false
    }
  }
}
