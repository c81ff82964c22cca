import ConfigurationReader
public import HTTPServer

extension Configuration {
  /// A REST route to a method: an entry of `routes`, such as `"GET /users/{id}": "users.get(id:int)"`.
  public struct Route: Sendable, Hashable {
    /// One segment of a route's path.
    public enum Segment: Sendable, Hashable {
      /// This text.
      case literal(String)
      /// Any text that is not empty: the value of the parameter of that name.
      case value(String)
      /// All that follows, at least one segment, slashes included. Only as the last one.
      case rest(String)
    }

    /// What the text of a parameter is read as.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// The text itself.
      case str
      /// A whole number of 64 bits.
      case int
      /// A number.
      case float
      /// `true` or `false`.
      case bool
      /// Any JSON value.
      case json
    }

    /// A keyword argument of the method.
    public struct Parameter: Sendable, Hashable {
      /// The keyword.
      public var name: String
      /// The type of its value.
      public var kind: Kind
      /// Whether it may be left out; one in the path never is.
      public var isOptional: Bool
      /// Whether its value stands in the path.
      public var isInPath: Bool
    }

    /// GET, POST, PUT, PATCH or DELETE. GET takes HEAD along.
    public var verb: HTTPMethod
    /// At least one, the first a literal.
    public var path: [Segment]
    /// The name of the method.
    public var method: String
    /// Its arguments, those of the path among them.
    public var parameters: [Parameter]

    /// The path as it is written, with names in braces.
    public var template: String {
      path.reduce("") { path, segment in
        switch segment {
        case .literal(let text): "\(path)/\(text)"
        case .value(let name): "\(path)/{\(name)}"
        case .rest(let name): "\(path)/{\(name)+}"
        }
      }
    }

    /// The path with its parameters nameless.
    var namelessPath: [Segment] {
      path.map { segment in
        switch segment {
        case .literal: segment
        case .value: .value("")
        case .rest: .rest("")
        }
      }
    }
  }
}

extension Configuration.Route {
  static let verbs: [HTTPMethod] = [.get, .post, .put, .patch, .delete]
  /// The first segments of the gateway's own paths, those that it will have later among them.
  static let reserved: Set<String> = [
    "rpc", "push", "pub", "sub", "calls", "tickets", "batch", "jsonrpc", "openapi.json", "openapi.yaml", "docs",
    "problems", "live", "ready", "metrics", "status", "-",
  ]
  private static let mostSegments = 32

  /// Reads `GET /users/{id}` and `users.get(id:int)`.
  init(_ pattern: String, _ call: String) throws(InvalidText) {
    (verb, path) = try Self.pattern(pattern)
    (method, parameters) = try Self.call(call, names: Self.names(path))
  }

  /// The parameters of the path, in its order.
  var namesInPath: [String] { Self.names(path) }

  private static func names(_ path: [Segment]) -> [String] {
    path.compactMap { segment in
      switch segment {
      case .literal: nil
      case .value(let name), .rest(let name): name
      }
    }
  }

  /// The first half of a route.
  static func pattern(_ text: String) throws(InvalidText) -> (HTTPMethod, [Segment]) {
    let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].first == "/" else {
      throw InvalidText("a route is a verb and a path, such as GET /users/{id}")
    }
    guard let verb = verbs.first(where: { "\($0.name)" == parts[0] }) else {
      throw InvalidText("\"\(parts[0])\" is none of \(verbs.map { "\($0.name)" }.joined(separator: ", "))")
    }
    let texts = parts[1].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    guard texts.count <= mostSegments else { throw InvalidText("a path has at most \(mostSegments) segments") }
    var path: [Segment] = []
    for text in texts {
      if case .rest? = path.last { throw InvalidText("{name+} stands only at the end of a path") }
      path.append(try segment(String(text)))
    }
    guard case .literal(let first) = path[0] else {
      throw InvalidText("the first segment of a path is a name of its own, such as /users")
    }
    if reserved.contains(first) { throw InvalidText("/\(first) is the gateway's own") }
    let names = names(path)
    if Set(names).count < names.count { throw InvalidText("a parameter stands twice in the path") }
    return (verb, path)
  }

  private static func segment(_ text: String) throws(InvalidText) -> Segment {
    if text.first == "{", text.last == "}" {
      let isRest = text.hasSuffix("+}")
      let name = String(text.dropFirst().dropLast(isRest ? 2 : 1))
      try check(name)
      return isRest ? .rest(name) : .value(name)
    }
    guard !text.isEmpty, text != ".", text != "..", text.utf8.allSatisfy(\.isUnreserved) else {
      throw InvalidText(
        "a segment of a path is {name}, or letters, digits, \"-\", \".\", \"_\" and \"~\"; \"\(text)\" is neither")
    }
    return .literal(text)
  }

  private static func check(_ name: String) throws(InvalidText) {
    let isName = !name.isEmpty && name.utf8.allSatisfy { $0.isNameByte && $0 != 0x2D && $0 != 0x2E }
    guard isName, name.first != "_", !("0"..."9").contains(name.first ?? "0") else {
      throw InvalidText("\"\(name)\" is no name of a parameter: letters, digits and \"_\", beginning with a letter")
    }
    if name == "arg" || name == "args" || name == "kwargs" {
      throw InvalidText(
        "\"\(name)\" cannot be the name of a parameter: it has a meaning of its own in queries and bodies")
    }
  }

  /// Without parentheses the parameters of the path are all there are, as text.
  private static func call(_ text: String, names: [String]) throws(InvalidText) -> (String, [Parameter]) {
    let parts = text.split(separator: "(", maxSplits: 1, omittingEmptySubsequences: false)
    let method = String(parts[0])
    guard MethodName(method) != nil else {
      throw InvalidText("\"\(method)\" is no name of a method that can be called")
    }
    guard parts.count == 2 else {
      return (method, names.map { Parameter(name: $0, kind: .str, isOptional: false, isInPath: true) })
    }
    guard parts[1].last == ")" else { throw InvalidText("the parameters end with \")\": users.get(id:int)") }
    var parameters: [Parameter] = []
    let inner = parts[1].dropLast()
    for part in inner.split(separator: ",", omittingEmptySubsequences: false) where !inner.allSatisfy({ $0 == " " }) {
      let parameter = try parameter(part.filter { $0 != " " }, names: names)
      if parameters.contains(where: { $0.name == parameter.name }) {
        throw InvalidText("the parameter \"\(parameter.name)\" stands twice")
      }
      parameters.append(parameter)
    }
    if let missing = names.first(where: { name in !parameters.contains { $0.name == name } }) {
      throw InvalidText("{\(missing)} of the path is none of the parameters of \(method)")
    }
    return (method, parameters)
  }

  private static func parameter(_ text: String, names: [String]) throws(InvalidText) -> Parameter {
    let isOptional = text.last == "?"
    let parts = (isOptional ? text.dropLast() : text[...]).split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    try check(name)
    let word = parts.count == 2 ? String(parts[1]) : Kind.str.rawValue
    guard let kind = Kind(rawValue: word) else {
      let known = Kind.allCases.map(\.rawValue)
      let nearest = word.nearest(among: known).map { "; did you mean \"\($0)\"?" } ?? ""
      throw InvalidText("\"\(word)\" is no type; use \(known.joined(separator: ", "))\(nearest)")
    }
    if isOptional, names.contains(name) { throw InvalidText("{\(name)} is in the path, so it cannot be left out") }
    return Parameter(name: name, kind: kind, isOptional: isOptional, isInPath: names.contains(name))
  }
}

/// Reads the routes of all services, no two of which may lead from the same requests.
struct RouteReader {
  /// The services that have a route of that verb and path, whatever its parameters are called.
  private var taken: [HTTPMethod: [[Configuration.Route.Segment]: String]] = [:]

  /// The routes of a service with these methods.
  mutating func read(_ section: Section, of service: String, _ methods: Configuration.Methods) -> [Configuration.Route]
  {
    let policy = MethodPolicy(methods)
    var routes: [Configuration.Route] = []
    for pattern in section.keys {
      guard let field = section.field(pattern), let target = field.text("a method, such as users.get(id:int)") else {
        continue
      }
      do throws(InvalidText) {
        _ = try Configuration.Route.pattern(pattern)
      } catch {
        section.report(error.description, at: pattern)
        continue
      }
      do throws(InvalidText) {
        let route = try Configuration.Route(pattern, target)
        try Self.check(route, policy)
        if let signature = methods.declared[route.method] { try signature.check(route) }
        routes.append(route)
        if let other = taken[route.verb, default: [:]].updateValue(service, forKey: route.namelessPath) {
          let place = other == service ? "above" : "in services.\(other)"
          section.report("leads from the same requests as a route \(place)", at: pattern)
        }
      } catch {
        field.report(error.description)
      }
    }
    return routes
  }

  private static func check(_ route: Configuration.Route, _ policy: MethodPolicy) throws(InvalidText) {
    guard let method = MethodName(route.method) else { return }
    do throws(Problem) {
      try policy.check(method)
    } catch {
      throw InvalidText("\"\(route.method)\" is not exposed by this service's methods")
    }
    guard route.verb == .get, !policy.isSafe(method) else { return }
    throw InvalidText("GET needs a method that is declared safe; add \"\(route.method)\" to methods.safe, or use POST")
  }
}
