import Yams

/// The interface of the gateway, machine readable: `openapi/gateway.yaml`, embedded when the gateway is built.
public struct OpenAPIDocument: Sendable {
  /// The document as it was written, with the prefix as the path of its server.
  public let yaml: [UInt8]
  /// The same as JSON: keys in the same order, numbers and truth values kept as such.
  public let json: [UInt8]

  /// The document of a gateway whose paths start with `prefix`, such as `/api`.
  public init(prefix: String = "") {
    let (written, converted) = (PackageResources.gateway_yaml, Self.converted)
    // A prefix has no characters that either form would escape.
    yaml = prefix.isEmpty ? written : written.replacing("- url: /\n".utf8, with: "- url: \(prefix)\n".utf8)
    json = prefix.isEmpty ? converted : converted.replacing(#"{"url":"/","#.utf8, with: #"{"url":"\#(prefix)","#.utf8)
  }

  /// The document as JSON, converted once.
  private static let converted: [UInt8] = {
    let text = String(decoding: PackageResources.gateway_yaml, as: UTF8.self)
    guard let root = try? Yams.compose(yaml: text) else {
      preconditionFailure("openapi/gateway.yaml is not YAML, which the tests rule out")
    }
    var json = JSONWriter()
    json.append(root)
    return json.bytes
  }()
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
