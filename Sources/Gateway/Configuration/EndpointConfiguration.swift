import ConfigurationReader
import ZeroMQ

extension Section {
  /// Where the socket of a service is: the endpoints of `connect`, or those of `bind`, for peers that connect. Every pattern has one of
  /// the two; reports when there is neither.
  func endpoints() -> (connect: [Endpoint], bind: [Endpoint]) {
    let (backends, bind) = backends(allowsWeight: false)
    return (backends.map(\.endpoint), bind)
  }

  /// The same, with the weight of each that is connected to: `{ endpoint: ..., weight: ... }`.
  func backends(allowsWeight: Bool) -> (connect: [(endpoint: Endpoint, weight: Int)], bind: [Endpoint]) {
    guard let field = field("connect") else {
      guard let field = self.field("bind") else {
        report("has no connect; name at least one endpoint such as tcp://127.0.0.1:5555")
        return ([], [])
      }
      return ([], bindings(field))
    }
    refuse("bind", because: "contradicts connect: a service does one or the other")
    guard let elements = field.elements() else { return ([], []) }
    if elements.isEmpty { report("needs at least one endpoint", at: "connect") }
    var backends: [(endpoint: Endpoint, weight: Int)] = []
    for element in elements {
      var weight = 1
      let section = allowsWeight && element.isMapping ? element.section() : nil
      if let section, !section.has("endpoint") { section.report("has no endpoint, such as tcp://127.0.0.1:5555") }
      section?.read("weight", into: &weight) { $0.integer(in: 1...1_000) }
      defer { section?.finish() }
      guard let field = section == nil ? element : section?.field("endpoint"),
        let endpoint = field.value("an endpoint", Self.endpoint)
      else { continue }
      // Of two connections of a socket to one place libzmq makes only one.
      field.reportTwice(endpoint, backends.map(\.endpoint))
      backends.append((endpoint, weight))
    }
    return (backends, [])
  }

  private func bindings(_ field: Field) -> [Endpoint] {
    guard let elements = field.elements() else { return [] }
    if elements.isEmpty { report("needs at least one endpoint", at: "bind") }
    var endpoints: [Endpoint] = []
    for element in elements {
      if element.isMapping {
        element.report("does not apply to bind: libzmq deals out to those that connect in turn, without weights")
      } else if let endpoint = element.value("an endpoint", Self.binding) {
        element.reportTwice(endpoint, endpoints)
        endpoints.append(endpoint)
      }
    }
    return endpoints
  }

  /// Reads the endpoint of a service, which other processes offer at a host or at a path.
  private static func endpoint(_ text: String) throws(InvalidText) -> Endpoint {
    try read(text) { endpoint throws(EndpointError) in try endpoint.requireConnectable() }
  }

  /// Reads an endpoint that other processes connect to. Host and port may be left open.
  private static func binding(_ text: String) throws(InvalidText) -> Endpoint { try read(text) { _ in } }

  private static func read(
    _ text: String, _ check: (Endpoint) throws(EndpointError) -> Void
  ) throws(InvalidText) -> Endpoint {
    let endpoint: Endpoint
    do throws(EndpointError) {
      endpoint = try Endpoint(text)
      try check(endpoint)
    } catch {
      throw InvalidText(error.description)
    }
    switch endpoint.address {
    case .inproc: throw InvalidText("inproc:// ends where this process ends; use tcp or ipc to reach another")
    case .ipc(let path) where !path.hasPrefix("/") || path == "/":
      throw InvalidText("ipc:// needs an absolute path: ipc:///run/\(path.drop { $0 == "/" })")
    default: return endpoint
    }
  }
}

extension Field {
  /// Reports an endpoint that is among the others already, in whatever spelling.
  fileprivate func reportTwice(_ endpoint: Endpoint, _ others: [Endpoint]) {
    guard let same = others.first(where: { $0.isSame(as: endpoint) }) else { return }
    report(same == endpoint ? "\(endpoint) is listed twice" : "\(endpoint) is listed twice, as \(same) too")
  }
}
