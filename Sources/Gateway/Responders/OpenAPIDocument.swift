import Yams

/// The interface of the gateway, machine readable: `openapi/gateway.yaml`, embedded when the gateway is built, and the REST routes of
/// the configuration.
public struct OpenAPIDocument: Sendable {
  /// The document as it was written, with the prefix as the path of its server.
  public let yaml: [UInt8]
  /// The same as JSON: keys in the same order, numbers and truth values kept as such.
  public let json: [UInt8]

  /// The document of a gateway whose paths start with `prefix`, such as `/api`.
  public init(prefix: String = "") { self.init(prefix: prefix, routes: []) }

  /// The document that a gateway with that configuration serves.
  public init(_ configuration: Configuration) {
    let routes = configuration.services.flatMap { service in
      guard case .rpc(let rpc) = service.pattern else { return [(service: String, route: Configuration.Route)]() }
      return rpc.routes.map { (service.name, $0) }
    }
    self.init(prefix: configuration.http.prefix, routes: routes)
  }

  /// The same, with these routes of services by their names.
  init(prefix: String, routes: [(service: String, route: Configuration.Route)]) {
    var yaml = PackageResources.gateway_yaml
    var json = Self.written.document
    if !prefix.isEmpty {
      // A prefix has no characters that either form would escape.
      yaml.replace("- url: /\n".utf8, with: "- url: \(prefix)\n".utf8)
      json.replace(#"{"url":"/","#.utf8, with: #"{"url":"\#(prefix)","#.utf8)
    }
    var (lines, items) = ([UInt8]("\npaths:\n".utf8), [UInt8](#""paths":{"#.utf8))
    for (path, item) in RouteDocument(routes).members({ $0 ? Self.written.fetch : Self.written.submit }) {
      lines += "  ".utf8
      for part in [path, [UInt8](": ".utf8), item, [UInt8]("\n".utf8)] { lines += part }
      for part in [path, [UInt8](":".utf8), item, [UInt8](",".utf8)] { items += part }
    }
    if !routes.isEmpty {
      yaml.replace("\npaths:\n".utf8, with: lines, maxReplacements: 1)
      json.replace(#""paths":{"#.utf8, with: items, maxReplacements: 1)
    }
    (self.yaml, self.json) = (yaml, json)
  }

  /// The document as JSON, converted once, and what calls are answered with, which holds for routes too.
  private static let written: (document: [UInt8], fetch: [UInt8], submit: [UInt8]) = {
    let text = String(decoding: PackageResources.gateway_yaml, as: UTF8.self)
    guard let root = try? Yams.compose(yaml: text), let call = root["paths"]?["/rpc/{service}/{method}"],
      let fetch = call["get"]?["responses"], let submit = call["post"]?["responses"]
    else {
      preconditionFailure("openapi/gateway.yaml is not YAML, or describes no calls, which the tests rule out")
    }
    return (json(root), json(fetch), json(submit))
  }()

  private static func json(_ node: Node) -> [UInt8] {
    var json = JSONWriter()
    json.append(node)
    return json.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func append(_ node: Node) {
    switch node {
    case .mapping(let pairs):
      open("{")
      for (name, value) in pairs {
        key(name.scalar?.string ?? "")
        append(value)
      }
      close("}")
    case .sequence(let items):
      open("[")
      for item in items { append(item) }
      close("]")
    case .scalar(let scalar): append(scalar, node)
    case .alias: raw("null")
    }
  }

  private mutating func append(_ scalar: Node.Scalar, _ node: Node) {
    switch Tag.Name(rawValue: node.tag.rawValue) {
    case .bool: raw(node.bool == true ? "true" : "false")
    case .null: raw("null")
    case .int where node.int != nil: raw("\(node.int ?? 0)")
    case .float where node.float?.isFinite == true: raw("\(node.float ?? 0)")
    default: string(scalar.string)
    }
  }
}
