import ConfigurationReader

/// The interface of a gateway, machine readable: what of `openapi/gateway.yaml`, which is embedded when it is built, holds for every gateway,
/// and before its paths those of the services of a configuration: their methods that are known by name, their streams, and their REST routes.
///
/// In the file, which is the document of the demonstration, those of its services stand there; `make openapi` renews them.
public struct OpenAPIDocument: Sendable {
  /// The document as it was written, with the prefix as the path of its server.
  public let yaml: [UInt8]
  /// The same as JSON: keys in the same order, numbers and truth values kept as such.
  public let json: [UInt8]

  /// The document of a gateway without services, whose paths start with `prefix`, such as `/api`.
  public init(prefix: String = "") { self.init(prefix: prefix, services: []) }

  /// The document that a gateway with that configuration serves, as long as no service has described itself.
  public init(_ configuration: Configuration) {
    self.init(
      prefix: configuration.http.prefix, services: configuration.services.map { ReachableService($0, nil) },
      tellsCallersApart: configuration.auth.tellsCallersApart)
  }

  /// The document that a gateway with that configuration serves, with what its services say of themselves: those with `describe` are
  /// asked. Waits five seconds for their answers at most.
  public init(asking configuration: Configuration) async {
    let descriptions = await DescriptionReader.ask(configuration)
    self.init(
      prefix: configuration.http.prefix,
      services: configuration.services.map { ReachableService($0, try? descriptions[$0.name]?.get()) },
      tellsCallersApart: configuration.auth.tellsCallersApart)
  }

  /// The document with what is reached of these services; `tellsCallersApart` says that there is a way to say who calls.
  init(prefix: String, services: [ReachableService], tellsCallersApart: Bool = false) {
    var yaml = Self.written.yaml
    var json = Self.written.json
    if !prefix.isEmpty {
      // A prefix has no characters that either form would escape.
      yaml.replace("- url: /\n".utf8, with: "- url: \(prefix)\n".utf8)
      json.replace(#"{"url":"/","#.utf8, with: #"{"url":"\#(prefix)","#.utf8)
    }
    if tellsCallersApart {
      let (schemes, needs) = (Self.securitySchemes, Self.security)
      yaml.replace("\ntags:\n".utf8, with: "\nsecurity: \(needs)\ntags:\n".utf8, maxReplacements: 1)
      yaml.replace(
        "\ncomponents:\n".utf8, with: "\ncomponents:\n  securitySchemes: \(schemes)\n".utf8, maxReplacements: 1)
      json.replace(#""tags":[{"#.utf8, with: #""security":\#(needs),"tags":[{"#.utf8, maxReplacements: 1)
      json.replace(
        #""components":{"#.utf8, with: #""components":{"securitySchemes":\#(schemes),"#.utf8, maxReplacements: 1)
    }
    let operations = Self.written.operations
    var methods = MethodDocument(operations)
    var paths = methods.members(of: services)
    let routes = services.flatMap { service -> [RouteDocument.Entry] in
      let configuration = service.configuration
      return service.routes.map { route in
        let method = service.methods.first { $0.name.text == route.method }?.description
        return .init(
          service: configuration.name, route: route, method: method,
          result: method?.resultSchema(in: configuration.json))
      }
    }
    paths += RouteDocument(routes).members(besides: methods.ids) { isFetch, result in
      (isFetch ? operations.fetch : operations.call).responses(
        success: result.map { isFetch ? MethodDocument.safeResult($0) : MethodDocument.result($0) })
    }
    var (lines, items) = ([UInt8]("\npaths:\n".utf8), [UInt8](#""paths":{"#.utf8))
    for (path, item) in paths {
      lines += "  ".utf8
      for part in [path, [UInt8](": ".utf8), item, [UInt8]("\n".utf8)] { lines += part }
      for part in [path, [UInt8](":".utf8), item, [UInt8](",".utf8)] { items += part }
    }
    if !paths.isEmpty {
      yaml.replace("\npaths:\n".utf8, with: lines, maxReplacements: 1)
      json.replace(#""paths":{"#.utf8, with: items, maxReplacements: 1)
    }
    (self.yaml, self.json) = (yaml, json)
  }

  /// How a caller may say who calls: not at all, with a key or token, or with a key as a password. JSON is YAML too.
  private static let security = #"[{},{"key":[]},{"password":[]}]"#
  private static let securitySchemes =
    #"{"key":{"type":"http","scheme":"bearer","description":"A key of `auth.keys`, or a token (JWT) of an issuer of `auth.jwt`. "#
    + #"`/live`, `/ready` and `/problems` need none."},"password":{"type":"http","scheme":"basic","description":"The same key as the "#
    + #"password. The name is that of the key's subject, or empty."}}"#

  /// The line before the paths that hold for every gateway. Those between `paths` and it are the demonstration's.
  static let divider = "  # Any service, and the gateway itself:\n"

  /// What holds for every gateway, in both forms, converted once, and those of its operations that hold for the paths of services too.
  private static let written: (yaml: [UInt8], json: [UInt8], operations: WrittenOperations) = {
    let text = String(decoding: PackageResources.gateway_yaml, as: UTF8.self)
    guard let parts = parts(of: text), let root = try? YAMLNode.read(String(parts.before + parts.after)),
      let operations = WrittenOperations(root)
    else {
      preconditionFailure("openapi/gateway.yaml is not YAML, or lacks an operation, which the tests rule out")
    }
    return ([UInt8]((parts.before + parts.after).utf8), root.json, operations)
  }()

  /// What of the text of `openapi/gateway.yaml` stands before the paths of services, what are these, and what comes after.
  static func parts(of text: String) -> (before: Substring, services: Substring, after: Substring)? {
    guard let start = text.firstRange(of: "\npaths:\n"),
      let end = text[start.upperBound...].firstRange(of: divider)
    else { return nil }
    return (text[..<start.upperBound], text[start.upperBound..<end.lowerBound], text[end.upperBound...])
  }
}

/// Operations of `openapi/gateway.yaml` on any service, of which those on a service that is named are made.
struct WrittenOperations: Sendable {
  /// One verb of one path. All is JSON.
  struct Operation: Sendable {
    /// References, those to names in the path left out.
    let parameters: [[UInt8]]
    let body: [UInt8]?
    private let answers: [(status: String, answer: [UInt8])]

    fileprivate init?(_ node: YAMLNode?) {
      guard let node, let answers = node["responses"]?.mapping else { return nil }
      parameters = node["parameters"]?.sequence?.map(\.json) ?? []
      body = node["requestBody"]?.json
      self.answers = answers.map { ($0.key.scalar?.string ?? "", $0.value.json) }
    }

    /// Its answers, with another one in place of that of success, if there is one.
    func responses(success: String? = nil) -> [UInt8] {
      var json = JSONWriter()
      json.open("{")
      for (status, answer) in answers {
        json.key(status)
        if status == "200", let success { json.raw(success) } else { json.raw(answer) }
      }
      json.close("}")
      return json.bytes
    }
  }

  let call: Operation
  let fetch: Operation
  let push: Operation
  let publish: Operation
  let subscribe: Operation

  fileprivate init?(_ root: YAMLNode) {
    func operation(_ path: String, _ verb: String) -> Operation? { Operation(root["paths"]?[path]?[verb]) }
    guard let call = operation("/rpc/{service}/{method}", "post"),
      let fetch = operation("/rpc/{service}/{method}", "get"),
      let push = operation("/push/{service}/{method}", "post"),
      let publish = operation("/pub/{service}/{topic}/{method}", "post"),
      let subscribe = operation("/sub/{service}", "get")
    else { return nil }
    (self.call, self.fetch, self.push, self.publish, self.subscribe) = (call, fetch, push, publish, subscribe)
  }
}

extension YAMLNode {
  /// The same as JSON, keys in their order.
  var json: [UInt8] {
    var json = JSONWriter()
    json.append(self)
    return json.bytes
  }
}

extension JSONWriter {
  fileprivate mutating func append(_ node: YAMLNode) {
    switch node {
    case .mapping(let pairs, _):
      open("{")
      for pair in pairs {
        key(pair.key.scalar?.string ?? "")
        append(pair.value)
      }
      close("}")
    case .sequence(let items, _):
      open("[")
      for item in items { append(item) }
      close("]")
    case .scalar(let scalar): append(scalar)
    }
  }

  private mutating func append(_ scalar: YAMLNode.Scalar) {
    switch scalar.value {
    case .bool(let truth): raw(truth ? "true" : "false")
    case .null: raw("null")
    case .integer(let number): raw("\(number)")
    case .float(let number) where number.isFinite: raw("\(number)")
    default: string(scalar.string)
    }
  }
}
