import HTTPServer

/// Whoever runs a foreign page can have the name of its host lead to this machine. The page and the gateway are then of one origin,
/// and the browser keeps nothing from the page (DNS rebinding). So the names that are served are listed; addresses and `localhost`
/// lead where they lead. A gateway that other machines reach serves all names until some are listed.
///
/// Until names are listed, programs may use any without a dot, such as a container's. Browsers may not: whoever answers for a search
/// domain has such a name lead where he likes.
struct HostCheck {
  let hosts: [String]

  func check(_ request: GatewayRequest) throws(Problem) {
    // No name leads a browser to a Unix socket.
    let isReached = request.exchange.isServerLoopback && !request.exchange.isServerUnixSocket
    guard isReached || !hosts.isEmpty, let host = request.host else { return }
    if host.isLocal || host.isAddress || hosts.contains(where: host.isNamed) { return }
    if hosts.isEmpty, host.isSingleLabel, !mayBeBrowser(request) { return }
    if host.name.isEmpty { throw Problem(.misdirected, "The Host header names no host. Name the one that is asked.") }
    let name = String(decoding: host.name, as: UTF8.self).lowercased()
    throw Problem(
      .misdirected,
      "\"\(name)\" is no host that is served here. If it should be, add it to the configuration: http: { hosts: [\"\(name)\"] }"
    )
  }

  /// Browsers name the encodings that they can read, and no page can keep them from it, as it can from most else that they say (Fetch,
  /// "forbidden request-header").
  private func mayBeBrowser(_ request: GatewayRequest) -> Bool {
    request.header(.acceptEncoding) != nil || request.header(.origin) != nil || request.header(.secFetchSite) != nil
  }
}
