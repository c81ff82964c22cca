import ZeroMQ

/// Which connections an endpoint with a host's name has: one, which tries all addresses of the name in turn; or, since the name has had
/// several addresses of one family, as that of a headless service, one for each of them. A value without I/O.
struct NameAddresses {
  /// So many addresses of a name get a connection.
  static let most = 100

  /// What is connected to.
  private(set) var endpoints: [Endpoint]
  private let port: UInt16

  /// The endpoint itself at first; nil when it has no name that is looked up.
  init?(_ endpoint: Endpoint) {
    guard endpoint.hostName != nil, case .tcp(_, let port) = endpoint.address else { return nil }
    endpoints = [endpoint]
    self.port = port
  }

  /// The name has these addresses now. When it has none, everything stays: those that were known may still be there.
  mutating func resolved(_ addresses: [String]) -> (added: [Endpoint], removed: [Endpoint]) {
    let old = endpoints
    let families = [false, true].map { isIPv6 in addresses.filter { $0.contains(":") == isIPv6 } }
    // One host has often an address of each family: that makes no two backends of it.
    let family = families.max { a, b in a.count != b.count ? a.count < b.count : b.first == addresses.first } ?? []
    let isPlain = old.count == 1 && old[0].hostName != nil
    guard !family.isEmpty, !isPlain || family.count > 1 else { return ([], []) }
    endpoints = family.prefix(Self.most).map { Endpoint(host: $0, port: port) }
    return (endpoints.filter { !old.contains($0) }, old.filter { !endpoints.contains($0) })
  }
}
