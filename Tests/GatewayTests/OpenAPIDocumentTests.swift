import Foundation
import HTTPServer
import Testing

@testable import Gateway

@Suite("The OpenAPI document", .timeLimit(.minutes(1)))
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
        "/batch", "/calls/{id}", "/sub/{service}", "/sub/{service}/topics", "/sub/{service}/last",
        "/", "/live", "/ready", "/openapi.json", "/openapi.yaml", "/problems", "/problems/{code}",
      ])
    let first = Set(verbs.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
    // What a misspelt path is compared with, and what no REST route may begin with.
    #expect(first == Set(RouteHints.templates.keys))
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
    // What nothing answers with in this version is in no list; `method-not-allowed` and `internal` belong to no operation.
    let absent = ["unauthenticated", "permission-denied", "rate-limited", "too-many-streams"]
    let unlisted = absent + ["method-not-allowed", "internal"]
    #expect(codes == Set(ProblemCode.allCases.map(\.rawValue)).subtracting(unlisted))
  }
}
