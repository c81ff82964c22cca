import HTTPServer

/// The REST routes of all services, found segment by segment: a literal goes before a parameter, and that before a rest.
struct RouteTrie {
  /// What a path leads to.
  struct Match {
    /// The routes of that path by their verbs, and with each the values of its parameters in the order of the path.
    let node: Node
    let values: [String]
  }

  /// The routes that end after the same segments.
  final class Node {
    fileprivate(set) var routes: [HTTPMethod: ServiceRoute] = [:]
    fileprivate var literals: [String: Node] = [:]
    fileprivate var value: Node?
    fileprivate var rest: Node?

    /// Those that lead to what a caller with these permissions may call.
    func routes(for permissions: Permissions?) -> [HTTPMethod: ServiceRoute] {
      guard let permissions else { return routes }
      return routes.filter { permissions.allow(calling: $1.method.text, of: $1.service) }
    }
  }

  /// A route and the service that it belongs to.
  struct ServiceRoute {
    let service: String
    let upstream: RPCUpstream
    let method: MethodName
    let route: Configuration.Route
  }

  private let root = Node()
  private var mostSegments = 0

  /// The routes of these services.
  init(_ upstreams: UpstreamTable) {
    for service in upstreams.services {
      guard case .rpc(let upstream) = service.upstream else { continue }
      for route in upstream.routes { insert(route, of: upstream, service.name) }
    }
  }

  private mutating func insert(_ route: Configuration.Route, of upstream: RPCUpstream, _ service: String) {
    guard let method = MethodName(route.method) else { return }
    var node = root
    for segment in route.path {
      let next: Node
      switch segment {
      case .literal(let text):
        next = node.literals[text] ?? Node()
        node.literals[text] = next
      case .value:
        next = node.value ?? Node()
        node.value = next
      case .rest:
        next = node.rest ?? Node()
        node.rest = next
        mostSegments = .max
      }
      node = next
    }
    node.routes[route.verb] = ServiceRoute(
      service: service, upstream: upstream, method: method, route: route)
    mostSegments = max(mostSegments, route.path.count)
  }

  /// What the paths of routes begin with.
  var firstSegments: [String] { Array(root.literals.keys) }

  /// Whether a path may be found that begins with this segment and has so many.
  func mayFind(_ first: String, segments: Int) -> Bool { segments <= mostSegments && root.literals[first] != nil }

  /// What leads from a path of these segments. Looks at each node once at most.
  func find(_ segments: [String]) -> Match? {
    var values: [String] = []
    return find(segments[...], from: root, &values).map { Match(node: $0, values: values) }
  }

  private func find(_ segments: ArraySlice<String>, from node: Node, _ values: inout [String]) -> Node? {
    guard let first = segments.first else { return node.routes.isEmpty ? nil : node }
    if let next = node.literals[first], let found = find(segments.dropFirst(), from: next, &values) { return found }
    if first.isEmpty { return nil }
    if let next = node.value {
      values.append(first)
      if let found = find(segments.dropFirst(), from: next, &values) { return found }
      values.removeLast()
    }
    guard let rest = node.rest else { return nil }
    values.append(segments.joined(separator: "/"))
    return rest
  }
}
