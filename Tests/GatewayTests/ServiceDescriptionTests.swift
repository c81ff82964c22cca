import MessagePack
import Support
import Testing

@testable import Gateway

@Suite("What a service says of itself")
struct ServiceDescriptionTests {
  private func answer(parameters: [String], type: String = "int", text: String = "") -> Value {
    let entries = parameters.map { name -> Value in
      ["name": .string(name), "kind": "POSITIONAL_OR_KEYWORD", "type": .string(type), "required": true]
    }
    return ["methods": [["name": "m", "parameters": .array(entries), "result": .string(type), "text": .string(text)]]]
  }

  @Test("is read within bounds: a method with more parameters, or one name twice, is left out", arguments: [64, 65])
  func parameters(count: Int) throws {
    let names = (0..<count).map { "p\($0)" }
    #expect(ServiceDescription(answer(parameters: names))?.methods.count == (count == 64 ? 1 : 0))
    #expect(ServiceDescription(answer(parameters: ["a", "b", "a"]))?.methods == [])
  }

  @Test("has types that are as long as names at most, and texts of 4,096 bytes", arguments: [255, 256])
  func texts(count: Int) throws {
    let type = String(repeating: "t", count: count)
    let long = try #require(
      ServiceDescription(answer(parameters: ["a"], type: type, text: String(repeating: "é", count: 3_000))))
    let method = try #require(long.methods.first)
    #expect(method.result == (count == 255 ? type : "") && method.parameters[0].type == method.result)
    #expect(method.text?.utf8.count == 4_096)
  }

  @Test(
    "has defaults that are plain, and of the type of the parameter",
    arguments: [
      ("int", .int(-2), "-2"), ("float", .int(2), "2"), ("float", .double(1e300), "1e+300"), ("int", .double(2.5), nil),
      ("str", .string("a\"b"), #""a\"b""#), ("str", .string(String(repeating: "a", count: 256)), nil),
      ("str", .string("\u{7}"), nil), ("int", .nil, nil), ("int | None", .nil, "null"), ("", .nil, "null"),
      ("bool", .bool(false), "false"), ("bool", .int(0), nil), ("list[int]", .array([1]), nil),
      ("float", .double(.nan), nil), ("int", .uint(.max), nil), ("bytes", .binary([1]), nil),
    ] as [(String, Value, String?)])
  func defaults(type: String, value: Value, shown: String?) throws {
    let parameter: Value = [
      "name": "a", "kind": "POSITIONAL_OR_KEYWORD", "type": .string(type), "required": false, "default": value,
    ]
    let answer: Value = ["methods": [["name": "m", "parameters": [parameter], "result": "int"]]]
    let description = try #require(ServiceDescription(answer))
    let configuration = try Configuration.load(
      yaml: #"services: { s: { pattern: rpc, connect: ["ipc:///nowhere/s"], methods: { safe: [m] } } }"#,
      file: "gateway.yaml")
    let document = OpenAPIDocument(prefix: "", services: [ReachableService(configuration.services[0], description)])
    let root = try #require(JSON(String(decoding: document.json, as: UTF8.self)))
    let body = root["paths"]["/rpc/s/m"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    let schema = body["properties"]["a"]
    let found = schema.members.first { $0.key == "default" }
    #expect(found?.value == (try shown.map { try #require(JSON($0)) }))
    let own = root["paths"]["/rpc/s/m"]["get"]["parameters"].elements.first { ["a", "a:"].contains($0["name"].text) }
    if let own { #expect(own["schema"] == schema) }
    // A parameter that has to be given has none.
    var required = parameter
    required = .map(required.mapValue?.map { $0.key == "required" ? .init("required", true) : $0 } ?? [])
    let strict = ServiceDescription(["methods": [["name": "m", "parameters": [required]]]])
    #expect(strict?.methods.first?.parameters.first?.fallback == nil)
  }

  @Test(
    "has no GET for parameters whose names mean something else in a query",
    arguments: [("a", true), ("arg", false), ("_a", false), ("a:", false)])
  func queries(name: String, isThere: Bool) throws {
    let description = try #require(ServiceDescription(answer(parameters: [name])))
    let configuration = try Configuration.load(
      yaml: #"services: { s: { pattern: rpc, connect: ["ipc:///nowhere/s"], methods: { safe: [m] } } }"#,
      file: "gateway.yaml")
    let document = OpenAPIDocument(prefix: "", services: [ReachableService(configuration.services[0], description)])
    let root = try #require(JSON(String(decoding: document.json, as: UTF8.self)))
    let parameters = root["paths"]["/rpc/s/m"]["get"]["parameters"].elements
    #expect(parameters.contains { $0["in"] == "query" && $0["name"].text?.hasPrefix(name) == true } == isThere)
  }
}
