import ConfigurationReader
import Foundation
import HTTPServer
import MessagePack
import Support
import Testing

@testable import Gateway

@Suite("The OpenAPI document", .inTurn(minutes: 3))
struct OpenAPIDocumentTests {
  private var document: [String: Any] {
    get throws {
      try #require(JSONSerialization.jsonObject(with: Data(OpenAPIDocument().json)) as? [String: Any])
    }
  }

  @Test("is OpenAPI 3.1 in YAML and in JSON")
  func version() throws {
    #expect(String(decoding: OpenAPIDocument().yaml, as: UTF8.self).hasPrefix("openapi: 3.1.0\n"))
    #expect(String(decoding: OpenAPIDocument().json, as: UTF8.self).hasPrefix(#"{"openapi":"3.1.0","info":{"title":"#))
    #expect(try document["openapi"] as? String == "3.1.0")
  }

  @Test("names every route and the verbs it takes")
  func routes() async throws {
    let paths = try #require(try document["paths"] as? [String: [String: Any]])
    let verbs = paths.mapValues { Set($0.keys).subtracting(["parameters"]) }
    #expect(
      Set(verbs.keys) == [
        "/rpc/{service}/{method}", "/jsonrpc/{service}", "/push/{service}/{method}", "/pub/{service}/{topic}/{method}",
        "/batch", "/calls/{id}", "/sub/{service}", "/sub/{service}/topics", "/sub/{service}/last", "/tickets",
        "/", "/live", "/ready", "/metrics", "/status", "/-/limits", "/openapi.json", "/openapi.yaml", "/problems",
        "/problems/{code}",
      ])
    let first = Set(verbs.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
    // What a misspelt path is compared with, unless it is too short for that, and what no REST route may begin with.
    #expect(first.subtracting(["-"]) == Set(RouteHints.templates.keys))
    #expect(first.isSubset(of: Configuration.Route.reserved))
    let services = ["/rpc/": "math", "/jsonrpc/": "math", "/push/": "jobs", "/pub/": "news", "/sub/": "news"]
    try await RouterBench.with { router in
      for (path, verbs) in verbs {
        var concrete = path.replacing("{method}", with: "get").replacing("{topic}", with: "c")
        concrete = concrete.replacing("{code}", with: "timeout").replacing("{id}", with: "i")
        for (start, service) in services where path.hasPrefix(start) { concrete.replace("{service}", with: service) }
        let allow = try router.route(.get, Array(concrete.utf8).span).responder.methods.allow
        #expect(Set(allow.split(separator: ", ").map { $0.lowercased() }) == verbs, "\(path)")
      }
    }
  }

  @Test("has the services of a configuration, their methods that are named and that callers reach, and their streams")
  func services() throws {
    let yaml = """
      services:
        s:
          pattern: rpc
          connect: ["ipc:///nowhere/s"]
          methods: { expose: [add, "get*", secret], hide: [secret], safe: ["get*"], settings: { get.one: { timeout: 9s } } }
        s.get: { pattern: rpc, connect: ["ipc:///nowhere/t"], methods: { expose: ["*", one] } }
        jobs: { pattern: pipeline, connect: ["ipc:///nowhere/jobs"], methods: { expose: [run] } }
        out: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/out"] }, methods: { expose: ["*", say] } }
        in: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/in"] } }
      """
    let document = OpenAPIDocument(try Configuration.load(yaml: yaml, file: "gateway.yaml"))
    let root = try #require(JSON(String(decoding: document.json, as: UTF8.self)))
    let added = root["paths"].members.prefix { $0.key != "/rpc/{service}/{method}" }
    #expect(
      added.map { "\($0.key) \($0.value.members.map(\.key))" } == [
        #"/rpc/s/add ["post"]"#, #"/rpc/s/get.one ["post", "get"]"#, #"/rpc/s.get/one ["post"]"#,
        #"/push/jobs/run ["post"]"#, #"/pub/out/{topic}/say ["post"]"#, #"/sub/in ["get"]"#,
      ])
    let ids = added.flatMap { $0.value.members.compactMap { $0.value["operationId"].text } }
    #expect(ids == ["s.add", "s.get.one", "s.get.one.get", "s.get.one_", "jobs.run", "out.say", "in.subscribe"])
    #expect(added[0].value["post"]["tags"] == ["s"])
    #expect(added[0].value["post"]["requestBody"]["$ref"] == "#/components/requestBodies/Arguments")
    #expect(added[4].value["post"]["parameters"].elements[0]["$ref"] == "#/components/parameters/Topic")
  }

  /// As long as the title of a method may be.
  private static let line = String(repeating: "x", count: 120)

  @Test("has the parameters and results that a service describes, and nothing that it says of methods out of reach")
  func described() throws {
    func parameter(_ name: String, _ kind: String, _ type: String, _ isRequired: Bool) -> Value {
      ["name": .string(name), "kind": .string(kind), "type": .string(type), "required": .bool(isRequired)]
    }
    let positional = "POSITIONAL_OR_KEYWORD"
    let answer: Value = [
      "methods": [
        [
          "name": "find", "text": "Finds.\u{0}\u{7F}\u{85}\n\nBy name.", "result": "list[str]",
          "parameters": [parameter("name", positional, "str", true), parameter("most", positional, "int", false)],
        ],
        ["name": "hidden", "parameters": [], "result": "None", "text": nil],
        ["name": "_private", "parameters": [], "result": "None", "text": nil],
        ["name": "find", "parameters": [], "result": "None", "text": nil], ["name": 5], "nothing",
        [
          "name": "join", "parameters": [parameter("parts", "VAR_POSITIONAL", "str", false)], "result": "str",
          "text": .string(Self.line),
        ],
        [
          "name": "more", "parameters": [parameter("more", "VAR_KEYWORD", "Any", false)], "result": "shop.Order",
          "text": .string(Self.line + "x"),
        ],
      ]
    ]
    var service = Configuration.Service("s", .rpc(.init(connect: [])), methods: .init(hide: ["hidden"], safe: ["*"]))
    service.methods.expose = ["*"]
    let description = try #require(ServiceDescription(answer))
    let document = OpenAPIDocument(prefix: "", services: [ReachableService(service, description)])
    let paths = try #require(JSON(String(decoding: document.json, as: UTF8.self)))["paths"]
    #expect(
      paths.members.prefix { $0.key != "/rpc/{service}/{method}" }.map(\.key) == [
        "/rpc/s/find", "/rpc/s/join", "/rpc/s/more",
      ])
    let find = paths["/rpc/s/find"]
    for verb in ["get", "post"] {
      #expect(find[verb]["summary"] == "Finds.")
      #expect(find[verb]["description"] == "Finds.\n\nBy name.")
    }
    let (line, longer) = (paths["/rpc/s/join"]["post"], paths["/rpc/s/more"]["post"])
    #expect(line["summary"] == .string(Self.line) && line["description"] == .null)
    #expect(longer["summary"] == "Call more of s." && longer["description"] == .string(Self.line + "x"))
    let body = find["post"]["requestBody"]["content"]["application/json"]["schema"]
    let text: JSON = ["type": "string"]
    let number: JSON = ["type": "integer"]
    #expect(body["properties"] == ["name": text, "most": number])
    #expect(body["required"] == ["name"])
    #expect(body["additionalProperties"] == false)
    let result = find["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    #expect(result == ["type": "array", "items": text])
    #expect(find["get"]["responses"]["200"]["content"]["application/json"]["schema"] == result)
    let query = find["get"]["parameters"].elements.filter { $0["in"] == "query" }
    #expect(query.map { $0["name"] } == ["name", "most:"])
    #expect(query.map { $0["required"] } == [true, false])
    // What has no names has the form of any call.
    #expect(paths["/rpc/s/join"]["post"]["requestBody"]["$ref"] == "#/components/requestBodies/Arguments")
    #expect(
      paths["/rpc/s/join"]["get"]["parameters"].elements.contains(["$ref": "#/components/parameters/Positional"]))
    let more = paths["/rpc/s/more"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    #expect(more["additionalProperties"] == .object([]))
    for refused in [nil, ["methods": nil], [:]] as [Value] { #expect(ServiceDescription(refused) == nil) }
  }

  @Test("has no example for a header or a control parameter: pages that try a call fill it in")
  func noExamples() throws {
    let root = try #require(JSON(String(decoding: OpenAPIDocument().json, as: UTF8.self)))
    for name in ["RequestID", "RequestTimeout", "Timeout", "Prefer", "IdempotencyKey", "IfNoneMatch"] {
      let parameter = root["components"]["parameters"][name]
      #expect(parameter["name"] != .null && parameter["example"] == .null, "\(name)")
    }
  }

  @Test("tells how to say who calls where callers are told apart, and only there")
  func security() throws {
    for isTold in [false, true] {
      let document = OpenAPIDocument(prefix: "/api", services: [], tellsCallersApart: isTold)
      let yaml = try #require(try YAMLNode.read(String(decoding: document.yaml, as: UTF8.self)))
      #expect(String(decoding: yaml.json, as: UTF8.self) == String(decoding: document.json, as: UTF8.self))
      let root = try #require(JSON(String(decoding: document.json, as: UTF8.self)))
      #expect(root["security"].description == (isTold ? #"[{},{"key":[]},{"password":[]}]"# : "null"))
      let schemes = root["components"]["securitySchemes"].members
      #expect(
        schemes.map { [.string($0.key), $0.value["scheme"]] }
          == (isTold ? [["key", "bearer"], ["password", "basic"]] : []))
    }
  }

  @Test("keeps numbers, truth values and texts apart")
  func types() throws {
    let components = try #require(try document["components"] as? [String: [String: Any]])
    let problem = try #require(components["schemas"]?["Problem"] as? [String: Any])
    let properties = try #require(problem["properties"] as? [String: [String: Any]])
    #expect(properties["status"]?["minimum"] as? Int == 400)
    let text = String(decoding: OpenAPIDocument().json, as: UTF8.self)
    #expect(text.contains(#""example":{"accepted":true}"#))
    #expect(text.contains(#""const":"no"}"#))
    #expect(text.contains(#""responses":{"200":{"#))
    #expect(text.contains(#""eur":12.5"#))
  }

  @Test("has no schema that is a truth value or one type null: generators of clients do not take them")
  func plainSchemas() throws {
    func faults(_ value: Any, _ place: String) -> [String] {
      if let items = value as? [Any] { return items.enumerated().flatMap { faults($1, "\(place)/\($0)") } }
      guard let members = value as? [String: Any] else { return [] }
      return members.flatMap { key, value -> [String] in
        let isSchema =
          ["schema", "items"].contains(key) || place.hasSuffix("/properties") || place.hasSuffix("/schemas")
        let isBad = isSchema && !(value is [String: Any]) || key == "additionalProperties" && value as? Bool == true
        return (isBad || key == "type" && value as? String == "null" ? ["\(place)/\(key)"] : [])
          + faults(value, "\(place)/\(key)")
      }
    }
    #expect(faults(try document, "") == [])
  }

  @Test("gives examples of problems as the gateway writes them")
  func problems() throws {
    let components = try #require(try document["components"] as? [String: [String: Any]])
    let responses = try #require(components["responses"] as? [String: [String: Any]])
    var codes: Set<String> = []
    for response in responses.values {
      let content = response["content"] as? [String: [String: Any]]
      guard let problem = content?["application/problem+json"] else { continue }
      let example = try #require(problem["example"] as? [String: Any])
      let word = try #require(example["code"] as? String)
      let code = try #require(ProblemCode(rawValue: word))
      #expect(example["type"] as? String == "/problems/\(code.rawValue)")
      #expect(example["title"] as? String == code.title)
      if code != .remoteException {
        #expect(example["status"] as? Int == code.status)
        #expect(example["retryable"] as? Bool == code.isRetryable)
      }
      let headers = try #require(response["headers"] as? [String: [String: Any]])
      let schema = try #require(headers["Gateway-Error"]?["schema"] as? [String: Any])
      let named = try #require(schema["enum"] as? [String])
      #expect(named.contains(code.rawValue))
      codes.formUnion(named)
    }
    // `method-not-allowed` and `internal` belong to no operation, and the address of operations is no part of the document.
    let unlisted = ["method-not-allowed", "internal", "reload-failed"]
    #expect(codes == Set(ProblemCode.allCases.map(\.rawValue)).subtracting(unlisted))
  }
}
