import ConfigurationReader

/// What a client may have meant that asked for something that is not there. Only found out on the way to a 404, with bounded work: the
/// client chooses what is looked for.
enum RouteHints {
  /// The gateway's own routes, by the first segment of their paths.
  static let templates: [String: String] = [
    "rpc": "/rpc/{service}/{method}", "push": "/push/{service}/{method}", "pub": "/pub/{service}/{topic}/{method}",
    "sub": "/sub/{service}", "jsonrpc": "/jsonrpc/{service}", "batch": "/batch", "calls": "/calls/{id}",
    "live": "/live", "ready": "/ready", "metrics": "/metrics", "status": "/status", "tickets": "/tickets",
    "openapi.json": "/openapi.json", "openapi.yaml": "/openapi.yaml", "problems": "/problems/{code}",
  ]

  /// Where other programs are asked how they are, and what to ask here; nil for all else.
  static func forProbe(_ name: String, segments: Int) -> String? {
    guard segments == 1, ["health", "healthz", "healthcheck", "livez", "readyz", "ping"].contains(name) else {
      return nil
    }
    return "/live tells whether the gateway runs, and /ready whether it can take calls."
  }

  /// A sentence for a path of these segments where nothing is served. REST routes begin with one of those others.
  static func sentence(
    _ segments: [String], _ others: [String], prefix: String, names: (_ route: String) -> [String]
  ) -> String {
    if let first = segments.first, !others.contains(first), let probe = forProbe(first, segments: segments.count) {
      return probe
    }
    if let path = meant(segments, others, names: names) { return "did you mean \(prefix)\(path)?" }
    if let first = segments.first, first != "rpc", let template = templates[first] {
      return "write \(prefix)\(template)."
    }
    return "calls go to \(prefix)/rpc/{service}/{method}."
  }

  private static func meant(_ segments: [String], _ others: [String], names: (String) -> [String]) -> String? {
    guard let first = segments.first, !others.contains(first) else { return nil }
    // A slash too many in front.
    guard !first.isEmpty else {
      let rest = segments.drop(while: \.isEmpty)
      return rest.first.flatMap { templates[$0] } == nil ? nil : path(rest)
    }
    guard let template = templates[first] else {
      // The route is left out, and a service named at once.
      let routes = segments.count == 3 ? ["pub"] : segments.count == 2 ? ["rpc", "push"] : []
      if let route = routes.first(where: { names($0).contains(first) }) { return path([route] + segments) }
      guard let route = first.nearestName(among: templates.keys + others) else { return nil }
      return path([route] + segments.dropFirst())
    }
    if segments.count == 2, segments[1].isEmpty, template == "/\(first)" { return template }
    // The parts of a method's name are separated by dots; slashes are a natural mistake, and so is one at the end.
    let fixed = first == "pub" ? 3 : 2
    let parts = segments.dropFirst(fixed).filter { !$0.isEmpty }
    guard ["rpc", "push", "pub"].contains(first), segments.count > fixed + 1, names(first).contains(segments[1]),
      let method = MethodName(parts.joined(separator: "."))
    else { return nil }
    return path(segments.prefix(fixed) + [method.text])
  }

  /// The path of these segments, when it is short enough to be told and needs no escapes.
  private static func path(_ segments: some Collection<String>) -> String? {
    let path = segments.reduce("") { "\($0)/\($1)" }
    return path.utf8.count <= 300 && path.utf8.allSatisfy { $0.isUnreserved || $0 == UInt8(ascii: "/") } ? path : nil
  }
}

extension String {
  /// The nearest of these names. Of long ones, and of more than a few, nothing is said: it would cost too much.
  func nearestName(among names: some Sequence<String>) -> String? {
    let (most, few) = (64, 50)
    guard utf8.count <= most else { return nil }
    let alike = names.lazy.filter { name in
      let longest = Swift.max(name.utf8.count, utf8.count)
      return longest <= most && abs(name.utf8.count - utf8.count) <= Swift.max(1, longest / 3)
    }
    return nearest(among: alike.prefix(few))
  }
}
