import Yams

/// The interface of the gateway, machine readable: `openapi/gateway.yaml`, embedded when the gateway is built.
public enum OpenAPIDocument {
  /// The document as it was written.
  public static let yaml: [UInt8] = PackageResources.gateway_yaml

  /// The same as JSON, converted once: keys in the same order, numbers and truth values kept as such.
  public static let json: [UInt8] = {
    let text = String(decoding: yaml, as: UTF8.self)
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
