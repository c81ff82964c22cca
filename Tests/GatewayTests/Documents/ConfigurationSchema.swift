import Support

/// `docs/gateway.schema.json`, taken apart into the keys that it knows.
struct ConfigurationSchema {
  /// A key, with those that lead to it.
  struct Key {
    /// `*` stands for names that the writer of a configuration gives; the services' are their patterns.
    let path: [String]
    let schema: JSON

    var name: String { path.joined(separator: ".") }
    /// The bounds of a whole number.
    var bounds: ClosedRange<Int>? {
      let alternatives = schema["anyOf"].elements + [schema]
      guard let number = alternatives.first(where: { $0["minimum"] != .null && $0["maximum"] != .null }),
        let least = number["minimum"].integer, let most = number["maximum"].integer
      else { return nil }
      return least...most
    }
    /// What holds when it is not written.
    var standard: JSON? { schema["default"] == .null ? JSON?.none : schema["default"] }
  }

  private let root: JSON
  private(set) var keys: [Key] = []

  init() throws {
    root = JSON(try Repository.text("docs/gateway.schema.json")) ?? .null
    collect(root, [])
  }

  private mutating func collect(_ node: JSON, _ path: [String]) {
    let node = Schema.followed(node, in: root)
    for alternative in node["anyOf"].elements { collect(alternative, path) }
    if node["items"] != .null { collect(node["items"], path) }
    for member in node["properties"].members { add(member.value, path + [member.key]) }
    guard case .object = node["additionalProperties"] else { return }
    guard path == ["services"] else { return add(node["additionalProperties"], path + ["*"]) }
    for pattern in ["rpc", "pipeline", "pubsub"] { add(root["definitions"][pattern], path + [pattern]) }
  }

  private mutating func add(_ node: JSON, _ path: [String]) {
    // A key of two alternatives is one.
    if !keys.contains(where: { $0.path == path }) { keys.append(Key(path: path, schema: node)) }
    collect(node, path)
  }
}
