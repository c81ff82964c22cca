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
