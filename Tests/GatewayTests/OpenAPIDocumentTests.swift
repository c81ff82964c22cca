import Foundation
import Testing

@testable import Gateway

@Suite("The OpenAPI document", .timeLimit(.minutes(1)))
struct OpenAPIDocumentTests {
  private var document: [String: Any] {
    get throws {
      try #require(JSONSerialization.jsonObject(with: Data(OpenAPIDocument.json)) as? [String: Any])
    }
  }

  @Test("is OpenAPI 3.1 in YAML and in JSON")
  func version() throws {
    #expect(String(decoding: OpenAPIDocument.yaml, as: UTF8.self).hasPrefix("openapi: 3.1.0\n"))
    #expect(String(decoding: OpenAPIDocument.json, as: UTF8.self).hasPrefix(#"{"openapi":"3.1.0","info":{"title":"#))
    #expect(try document["openapi"] as? String == "3.1.0")
  }

  @Test("names every route and the verbs it takes")
  func routes() throws {
    let paths = try #require(try document["paths"] as? [String: [String: Any]])
    let verbs = paths.mapValues { Set($0.keys).subtracting(["parameters"]) }
    #expect(
      verbs == [
        "/rpc/{service}/{method}": ["get", "post"], "/push/{service}/{method}": ["post"],
        "/pub/{service}/{topic}/{method}": ["post"], "/sub/{service}": ["get"], "/live": ["get"],
        "/openapi.json": ["get"], "/openapi.yaml": ["get"], "/problems/{code}": ["get"],
      ])
    for (path, verbs) in verbs {
      var concrete = path.replacing("{service}", with: "a").replacing("{method}", with: "b")
      concrete = concrete.replacing("{topic}", with: "c").replacing("{code}", with: "timeout")
      let taken = try Target(Array(concrete.utf8).span).route.verbs(isSafe: true)
      #expect(taken.subtracting([.head, .options]) == Verbs(verbs.map { Verbs($0.uppercased()) }))
    }
  }

  @Test("keeps numbers, truth values and texts apart")
  func types() throws {
    let components = try #require(try document["components"] as? [String: [String: Any]])
    let problem = try #require(components["schemas"]?["Problem"] as? [String: Any])
    let properties = try #require(problem["properties"] as? [String: [String: Any]])
    #expect(properties["status"]?["minimum"] as? Int == 400)
    let text = String(decoding: OpenAPIDocument.json, as: UTF8.self)
    #expect(text.contains(#""accepted":{"type":"boolean","const":true}"#))
    #expect(text.contains(#""const":"no"}"#))
    #expect(text.contains(#""responses":{"200":{"#))
    #expect(text.contains(#""eur":12.5"#))
  }

  @Test("gives examples of problems as the gateway writes them")
  func problems() throws {
    let components = try #require(try document["components"] as? [String: [String: Any]])
    let responses = try #require(components["responses"] as? [String: [String: Any]])
    var codes: Set<String> = []
    for (name, response) in responses where name != "Result" && name != "Accepted" {
      let content = try #require(response["content"] as? [String: [String: Any]])
      let example = try #require(content["application/problem+json"]?["example"] as? [String: Any])
      let code = ProblemCode(rawValue: try #require(example["code"] as? String))
      codes.insert(code.rawValue)
      #expect(ProblemCode.all.contains(code))
      #expect(example["type"] as? String == "/problems/\(code.rawValue)")
      #expect(example["title"] as? String == code.title)
      if code != .remoteException {
        #expect(example["status"] as? Int == code.status)
        #expect(example["retryable"] as? Bool == code.isRetryable)
      }
      let description = try #require(response["description"] as? String)
      let named = description.split(separator: "`").filter { ProblemCode.all.map(\.rawValue).contains(String($0)) }
      #expect(named.contains { $0 == code.rawValue })
    }
    #expect(codes.count > 10)
  }
}
