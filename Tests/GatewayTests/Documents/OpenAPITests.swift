import Foundation
import Support
import Testing

@Suite("The interface answers as it is documented", .timeLimit(.minutes(2)))
struct OpenAPITests {
  // `make test` sets ZMQ_GATEWAY_PYTHON to a Python with openapi-spec-validator; without one there is nothing to run.
  @Test("openapi/gateway.yaml is valid OpenAPI", .enabled(if: Python.isThere, "\(Python.comment)"))
  func valid() async throws {
    let file = Repository.path("openapi/gateway.yaml")
    let validator = try Subprocess(
      Python.path ?? "", ["-m", "openapi_spec_validator", file], complaints: .withOutput)
    let output = try await validator.rest()
    #expect(try await validator.ended() == 0, "\(output)")
  }

  @Test("for each documented answer there is a request that gets it, and for each such request a documented answer")
  func complete() throws {
    let (documented, provoked) = (try APIDocument().outcomes, Set(Provocations().table.keys))
    #expect(documented.subtracting(provoked).sorted() == [], "documented, but no request gets it")
    #expect(provoked.subtracting(documented).sorted() == [], "a request gets it, but it is not documented")
  }

  @Test("every documented answer is given: status, headers, content type, body; problems as in the examples")
  func answers() async throws {
    let document = try APIDocument()
    let provocations = Provocations()
    try await Stage.with { stage in
      var examples = Set(document.operations.flatMap(\.responses.values).filter { !$0.codes.isEmpty })
      for operation in document.operations {
        for outcome in document.outcomes.filter({ $0.operation == operation.id }).sorted() {
          let response = try #require(operation.responses[outcome.status])
          let reply = try await provocations.provoke(outcome, on: stage)
          Answer(reply, to: operation, outcome, response, document).check()
          examples = examples.filter { !$0.example.isSameProblem(as: reply.json) }
        }
      }
      #expect(examples.map(\.name).sorted() == [], "no request got the example")
    }
  }

  @Test("a verb that is not documented gets 405, and Allow names those that are")
  func verbs() async throws {
    let document = try APIDocument()
    try await Stage.with { stage in
      for operation in document.operations where operation.verb == "OPTIONS" {
        let request = try #require(Request.all[operation.id])
        let documented = document.verbs(of: operation.path)
        for verb in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get"]
        where !documented.contains(verb) {
          let reply = try await stage.usual.http.send(verb, request.target)
          #expect(reply.status == 405, "\(verb) \(request.target)")
          #expect(reply.headers["gateway-error"] == "method-not-allowed")
          #expect(reply.verbs == documented)
        }
      }
    }
  }

  @Test("each example of arguments makes the call of the example of results")
  func arguments() async throws {
    let document = try APIDocument()
    let body = document.root["components"]["requestBodies"]["Arguments"]["content"]["application/json"]
    let result = document.root["components"]["responses"]["Result"]["content"]["application/json"]["example"]
    #expect(body["examples"].members.count == 3)
    try await Stage.with { stage in
      for example in body["examples"].members {
        let reply = try await stage.usual.http.post("/rpc/calc/add", example.value["value"].description)
        #expect(reply.json == result)
      }
    }
  }
}

extension HTTPReply {
  /// What `Allow` lists.
  var verbs: Set<String> {
    Set((headers["allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
  }
}

extension JSON {
  /// Whether two problems differ in nothing but the name of their request.
  fileprivate func isSameProblem(as other: JSON) -> Bool {
    guard case .object(let members) = self else { return false }
    return members.filter { $0.key != "requestId" } == other.members.filter { $0.key != "requestId" }
  }
}
