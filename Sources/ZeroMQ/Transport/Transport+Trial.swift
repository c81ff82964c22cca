extension Transport {
  /// Why the endpoint cannot be bound to; nil when it can, as was tried. Looks a host's name up, and waits for that.
  package static func bindFault(at endpoint: Endpoint) -> ConnectFault? {
    do throws(ZMQError) {
      try Bindings.requireFree(endpoint)
      try Socket(.pull, in: try Context()).bind(endpoint.description)
      return nil
    } catch {
      return .unbindable(error)
    }
  }
}
