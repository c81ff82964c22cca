import HTTPServer

/// The REST routes of a configuration as path items of OpenAPI, in JSON, which is YAML too.
struct RouteDocument {
  /// A route of a service.
  struct Entry {
    let service: String
    let route: Configuration.Route
    /// Its method, when that is known.
    let method: ServiceDescription.Method?
    /// The schema of the method's result, in JSON; nil when it is not known.
    let result: String?
  }

  /// The routes of one shape, whatever their parameters are called: OpenAPI wants one path for them.
  private struct Item {
    let path: String
    /// The names in that path.
    let names: [String]
    var routes: [Entry]
  }

  private var items: [Item] = []
  private var places: [[Configuration.Route.Segment]: Int] = [:]

  /// Of these routes.
  init(_ routes: [Entry]) {
    for entry in routes {
      let route = entry.route
      if let place = places[route.namelessPath] {
        items[place].routes.append(entry)
      } else {
        places[route.namelessPath] = items.count
        // OpenAPI has no form for a rest.
        let path = route.template.replacing("+}", with: "}")
        items.append(Item(path: path, names: route.namesInPath, routes: [entry]))
      }
    }
  }

  /// Each path, a JSON string, with its item. No id of an operation is among those that are taken.
  func members(
    besides taken: Set<String>, _ responses: (_ isFetch: Bool, _ result: String?) -> [UInt8]
  ) -> [(path: [UInt8], item: [UInt8])] {
    var ids = taken
    return items.map { item in
      var path = JSONWriter()
      path.string(item.path)
      var json = JSONWriter()
      json.open("{")
      for entry in item.routes {
        let route = entry.route
        for verb in route.verb == .get ? ["get", "head"] : ["\(route.verb.name)".lowercased()] {
          var id = "\(entry.service).\(route.method).route" + (verb == "head" ? ".head" : "")
          while !ids.insert(id).inserted { id += "_" }
          json.key(verb)
          Self.append(entry, id, item.names, responses(route.verb == .get, entry.result), to: &json)
        }
      }
      json.close("}")
      return (path.bytes, json.bytes)
    }
  }

  private static func append(
    _ entry: Entry, _ id: String, _ names: [String], _ responses: [UInt8], to json: inout JSONWriter
  ) {
    let route = entry.route
    json.open("{")
    json.member("operationId", id)
    json.raw(#""tags":["routes"]"#)
    json.member("summary", entry.method?.title ?? "Call the method \(route.method) of the service \(entry.service).")
    if let text = entry.method?.text, text != entry.method?.title { json.member("description", text) }
    json.key("parameters")
    json.open("[")
    let always = ["RequestID", "RequestTimeout", "Timeout"]
    let fetching = ["IfNoneMatch", "Watch", "WatchLastEventID", "WatchLastEventIDHeader"]
    for name in always + (route.verb == .get ? fetching : []) {
      json.raw(##"{"$ref":"#/components/parameters/\##(name)"}"##)
    }
    // The names in the path are those of the item; those of the method may be others.
    for (name, own) in zip(names, route.namesInPath) {
      if let parameter = route.parameters.first(where: { $0.name == own }) {
        json.append(parameter, named: name, in: "path", isRequired: true)
      }
    }
    let others = route.parameters.filter { !$0.isInPath }
    if route.verb == .get {
      for parameter in others {
        json.append(parameter, named: parameter.name, in: "query", isRequired: !parameter.isOptional)
      }
    }
    json.close("]")
    if route.verb != .get, !others.isEmpty { json.append(bodyOf: others) }
    json.key("responses")
    json.raw(responses)
    json.close("}")
  }
}

extension JSONWriter {
  fileprivate mutating func append(
    _ parameter: Configuration.Route.Parameter, named name: String, in place: String, isRequired: Bool
  ) {
    open("{")
    member("name", name)
    member("in", place)
    member("required", isRequired)
    if parameter.kind == .json {
      raw(#""content":{"application/json":{"schema":{}}}"#)
    } else {
      key("schema")
      raw(parameter.kind.schema)
    }
    close("}")
  }

  fileprivate mutating func append(bodyOf parameters: [Configuration.Route.Parameter]) {
    let required = parameters.filter { !$0.isOptional }
    key("requestBody")
    open("{")
    member("required", !required.isEmpty)
    key("content")
    open("{")
    key("application/json")
    open("{")
    key("schema")
    open("{")
    member("type", "object")
    key("properties")
    open("{")
    for parameter in parameters {
      key(parameter.name)
      raw(parameter.kind.schema)
    }
    close("}")
    key("required")
    open("[")
    for parameter in required { string(parameter.name) }
    close("]")
    for _ in 0..<4 { close("}") }
  }
}

extension Configuration.Route.Kind {
  /// As OpenAPI describes it.
  fileprivate var schema: String {
    switch self {
    case .str: #"{"type":"string"}"#
    case .int: #"{"type":"integer","format":"int64"}"#
    case .float: #"{"type":"number"}"#
    case .bool: #"{"type":"boolean"}"#
    case .json: "{}"
    }
  }
}
