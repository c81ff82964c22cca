/// The methods of services that are known by name, and their streams, as path items of OpenAPI, in JSON, which is YAML too.
///
/// HEAD and OPTIONS are not written out: the document says that they go with every path.
struct MethodDocument {
  typealias Member = (path: [UInt8], item: [UInt8])

  /// What differs from the operation on any service.
  fileprivate struct Operation {
    let verb: String
    /// The operation on any service.
    let written: WrittenOperations.Operation
    var id: String
    let tag: String
    let summary: String
    var description: String?
    var parameters: [[UInt8]] = []
    /// Those of the operation on any service that this one does not have.
    var leftOut: [[UInt8]] = []
    var body: [UInt8]?
    /// The answer with a result.
    var success: String?
  }

  private let operations: WrittenOperations
  /// Those of the operations so far.
  private(set) var ids: Set<String> = []

  /// What all services have in common comes from these.
  init(_ operations: WrittenOperations) { self.operations = operations }

  /// Each path, a JSON string, with its item.
  mutating func members(of services: [ReachableService]) -> [Member] {
    services.flatMap { reachable -> [Member] in
      let (service, methods) = (reachable.configuration, reachable.methods)
      switch service.pattern {
      case .rpc: return methods.map { member("/rpc/\(service.name)/\($0.name.text)", rpc(service, $0)) }
      case .pipeline:
        return methods.map { method in
          let operation = post(service.name, method, operations.push, "Hand \(method.name.text) to \(service.name).")
          return member("/push/\(service.name)/\(method.name.text)", [operation])
        }
      case .pubsub:
        var members = methods.map { publish(service.name, $0) }
        if reachable.hasEvents {
          let operation = Operation(
            verb: "get", written: operations.subscribe, id: "\(service.name).subscribe", tag: service.name,
            summary: "Follow the events of \(service.name).")
          members.append(member("/sub/\(service.name)", [operation]))
        }
        return members
      }
    }
  }

  private func post(
    _ service: String, _ method: KnownMethod, _ written: WrittenOperations.Operation, _ summary: String
  ) -> Operation {
    Operation(
      verb: "post", written: written, id: "\(service).\(method.name.text)", tag: service,
      summary: method.description?.title ?? summary, description: method.description?.text,
      body: method.description.flatMap { ArgumentSchema($0).body })
  }

  private mutating func publish(_ service: String, _ method: KnownMethod) -> Member {
    var operation = post(service, method, operations.publish, "Publish \(method.name.text) to \(service).")
    operation.parameters = [Self.reference("Topic")]
    return member("/pub/\(service)/{topic}/\(method.name.text)", [operation])
  }

  /// POST, and GET for a method that is safe.
  private func rpc(_ service: Configuration.Service, _ method: KnownMethod) -> [Operation] {
    var call = post(service.name, method, operations.call, "Call \(method.name.text) of \(service.name).")
    var fetch = Operation(
      verb: "get", written: operations.fetch, id: "\(call.id).get", tag: service.name, summary: call.summary,
      description: call.description)
    if let description = method.description {
      let signature = ArgumentSchema(description)
      let result = description.resultSchema(in: service.json)
      call.success = Self.result(result)
      fetch.success = Self.safeResult(result)
      if let query = signature.query {
        fetch.parameters = query
        fetch.leftOut = signature.replaced.map(Self.reference)
      }
    }
    return method.isSafe ? [call, fetch] : [call]
  }

  private mutating func member(_ path: String, _ operations: [Operation]) -> Member {
    var name = JSONWriter()
    name.string(path)
    var json = JSONWriter()
    json.open("{")
    for operation in operations {
      // Names of services and methods both hold dots, so two ids may be the same.
      var id = operation.id
      while !ids.insert(id).inserted { id += "_" }
      json.key(operation.verb)
      json.append(operation, id)
    }
    json.close("}")
    return (name.bytes, json.bytes)
  }

  fileprivate static func reference(_ parameter: String) -> [UInt8] {
    [UInt8](##"{"$ref":"#/components/parameters/\##(parameter)"}"##.utf8)
  }

  /// The component `Result`, with a result of that schema.
  static func result(_ schema: String) -> String {
    #"{"description":"The result.","content":{"application/json":{"schema":\#(schema)},"application/msgpack":{}}}"#
  }

  /// The component `SafeResult`, with a result of that schema.
  static func safeResult(_ schema: String) -> String {
    ##"{"description":"The result.","headers":{"##
      + ##""ETag":{"description":"The tag of the result; a stream has none.","schema":{"type":"string"}},"##
      + ##""Vary":{"description":"What else a result depends on.","schema":{"type":"string"}},"##
      + ##""Cache-Control":{"$ref":"#/components/headers/ResultCacheControl"},"##
      + ##""Age":{"$ref":"#/components/headers/Age"}},"content":{"application/json":{"schema":\##(schema)},"##
      + ##""application/msgpack":{},"text/event-stream":{"schema":{"$ref":"#/components/schemas/ResultEvent"}}}}"##
  }
}

extension JSONWriter {
  fileprivate mutating func append(_ operation: MethodDocument.Operation, _ id: String) {
    open("{")
    member("operationId", id)
    key("tags")
    open("[")
    string(operation.tag)
    close("]")
    member("summary", operation.summary)
    if let text = operation.description, text != operation.summary { member("description", text) }
    key("parameters")
    open("[")
    let all = operation.parameters + [MethodDocument.reference("RequestID")] + operation.written.parameters
    for parameter in all where !operation.leftOut.contains(parameter) { raw(parameter) }
    close("]")
    if let body = operation.body ?? operation.written.body {
      key("requestBody")
      raw(body)
    }
    key("responses")
    raw(operation.written.responses(success: operation.success))
    close("}")
  }
}

/// How the arguments of a described or declared method stand in bodies and queries.
private struct ArgumentSchema {
  /// Those that are passed by keyword.
  private let parameters: [ServiceDescription.Parameter]
  /// `*rest` and `**more`; nil where the method has none.
  private let rest: ServiceDescription.Parameter?
  private let others: ServiceDescription.Parameter?
  /// Whether some are passed by position only.
  private let hasNameless: Bool

  init(_ method: ServiceDescription.Method) {
    parameters = method.parameters.filter { $0.kind == .positional || $0.kind == .keyword }
    rest = method.parameters.first { $0.kind == .rest }
    others = method.parameters.first { $0.kind == .keywords }
    hasNameless = method.parameters.contains { $0.kind == .positionalOnly }
  }

  /// Whether an object says something of the arguments: with `*rest` and no names before it there is nothing to say.
  private var isByKeyword: Bool { !hasNameless && (rest == nil || !parameters.isEmpty) }

  /// An object of keyword arguments, and for a method with `*rest` an array as well; nil where some are passed by position only.
  var body: [UInt8]? {
    guard isByKeyword else { return nil }
    var json = JSONWriter()
    json.open("{")
    json.member("description", "The arguments by name. An array of them by position is taken as well.")
    json.member("required", parameters.contains(where: \.isRequired))
    json.key("content")
    json.open("{")
    json.key("application/json")
    json.open("{")
    json.key("schema")
    if rest == nil {
      appendObject(to: &json)
    } else {
      json.open("{")
      json.key("anyOf")
      json.open("[")
      appendObject(to: &json)
      // What stands at which place, generators of clients do not understand.
      json.raw(#"{"type":"array","items":{}}"#)
      json.close("]")
      json.close("}")
    }
    for _ in 0..<3 { json.close("}") }
    return json.bytes
  }

  private func appendObject(to json: inout JSONWriter) {
    let required = parameters.filter(\.isRequired)
    json.open("{")
    json.member("type", "object")
    json.key("properties")
    json.open("{")
    for parameter in parameters {
      json.key(parameter.name)
      json.raw(PythonType(parameter.type).schema(fallback: parameter.fallback))
    }
    json.close("}")
    if !required.isEmpty {
      json.key("required")
      json.open("[")
      for parameter in required { json.string(parameter.name) }
      json.close("]")
    }
    json.key("additionalProperties")
    json.raw(others.map { PythonType($0.type).schema } ?? "false")
    json.close("}")
  }

  /// A parameter of the query for each; nil where a query has no plain form for one of them.
  var query: [[UInt8]]? {
    let types = parameters.map { PythonType($0.type) }
    guard isByKeyword, types.allSatisfy(\.isScalar), parameters.allSatisfy(\.isPlainInQuery) else { return nil }
    return zip(parameters, types).map { parameter, type in
      var json = JSONWriter()
      json.open("{")
      // Behind a name that ends in a colon stands JSON.
      json.member("name", type.isText ? parameter.name : parameter.name + ":")
      json.member("in", "query")
      json.member("required", parameter.isRequired)
      json.key("schema")
      json.raw(type.schema(fallback: parameter.fallback))
      json.close("}")
      return json.bytes
    }
  }

  /// The parameters of any call's query that its own leave no room for.
  var replaced: [String] { (others == nil ? ["Keywords"] : []) + (rest == nil ? ["Positional"] : []) }
}

extension ServiceDescription.Method {
  /// The schema of what it gives, as the service's JSON has it.
  func resultSchema(in style: Configuration.JSONStyle) -> String { PythonType(result).shown(in: style).schema }
}

extension ServiceDescription.Parameter {
  /// Whether a query passes it under its name: some names mean something else there.
  fileprivate var isPlainInQuery: Bool {
    name != "arg" && !name.hasPrefix("_") && !name.hasSuffix(":") && !CallResponder.fetchControls.contains(name)
  }
}
