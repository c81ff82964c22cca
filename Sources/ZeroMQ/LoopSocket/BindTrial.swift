/// Tries to bind to an endpoint, as a socket of a gateway would.
package enum BindTrial {
  /// Why the endpoint cannot be bound to; nil when it can: it is free again when this returns. Looks a host's name up, and waits for
  /// that.
  package static func fault(at endpoint: Endpoint) async -> ConnectFault? {
    do throws(ZMQError) {
      let context = try Context()
      let fault = fault(at: endpoint, in: context)
      await context.close(within: .seconds(1))
      // libzmq leaves the socket's file behind.
      if fault == nil, case .ipc(let path) = endpoint.address { LocalPath(path).removeUnused() }
      return fault
    } catch {
      return .unbindable(error)
    }
  }

  private static func fault(at endpoint: Endpoint, in context: Context) -> ConnectFault? {
    do throws(ZMQError) {
      try Bindings.requireFree(endpoint)
      var options = SocketOptions()
      options.ipv6 = true
      try Socket(.pull, in: context, options: options).bind(endpoint.description)
      return nil
    } catch {
      return .unbindable(error)
    }
  }
}
