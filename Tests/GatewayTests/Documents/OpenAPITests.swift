import Foundation
import Support
import Testing

@testable import Gateway

@Suite("The interface answers as it is documented", .inTurn(minutes: 4))
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

  @Test("each code of the gateway is provoked, but for those that are reserved, and for bugs")
  func codes() throws {
    let provoked = Set(Provocations().table.keys.compactMap(\.code))
    let section = try Repository.text("docs/errors.md").components(separatedBy: "### Reserved").last ?? ""
    let reserved = section.components(separatedBy: "\n## ")[0]
    // Of verbs that no operation has tells the test of verbs; of what the address of operations answers, `ReloadTests`.
    for code in ProblemCode.allCases where ![.internal, .methodNotAllowed, .reloadFailed].contains(code) {
      let isReserved = reserved.contains("`\(code.rawValue)`")
      #expect(provoked.contains(code.rawValue) != isReserved, "\(code.rawValue)")
    }
    #expect(provoked.subtracting(ProblemCode.allCases.map(\.rawValue)) == [])
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

  @Test("the examples of an operation make one request, and it succeeds")
  func examples() async throws {
    let document = try APIDocument()
    try await Stage.with { stage in
      // The id of a call is known to nobody but who has made it, and there are tickets only where there are keys.
      for operation in document.operations where !["/calls/{id}", "/tickets"].contains(operation.path) {
        let (target, headers, bodies) = document.example(of: operation)
        for body in bodies {
          let request = Request(operation.verb, target, body)
          // A stream has no end: its head tells.
          if operation.id == "subscribe" {
            let stream = try await stage.usual.http.events(target, headers: headers)
            #expect(stream.head.status == 200)
            stream.close()
            continue
          }
          let reply = try await request.with(headers).sent(to: stage.usual)
          // The example of an `ETag` is that of the example of a result.
          #expect(
            (200..<300).contains(reply.status) || reply.status == 304,
            "\(operation.verb) \(target) \(headers) \(body ?? "")")
        }
      }
    }
  }

  @Test("the server of the document is the prefix, in both forms", arguments: ["", "/api", "/a/b-c_d.e~f"])
  func prefix(prefix: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["ipc:///nowhere/x"], required: false }"#, http: "prefix: \"\(prefix)\"",
        threads: 1)
      let json = try await gateway.http.send("GET", prefix + "/openapi.json")
      #expect(json.status == 200)
      #expect(json.json["servers"].elements.map { $0["url"] } == [.string(prefix.isEmpty ? "/" : prefix)])
      #expect(json.json["paths"].members.count == 20)
      let yaml = try await gateway.http.send("GET", prefix + "/openapi.yaml")
      #expect(yaml.status == 200)
      #expect(yaml.body.contains("\nservers:\n  - url: \(prefix.isEmpty ? "/" : prefix)\n    description: "))
    }
  }

  @Test(
    "openapi-python-client makes a client of it that calls, and reads results and problems",
    .enabled(if: Python.has("openapi-python-client"), "ZMQ_GATEWAY_PYTHON has no openapi-python-client"),
    arguments: ["", "/api"])
  func generatedClient(prefix: String) async throws {
    try await Cleanup.with { cleanup in
      let directory = try TemporaryDirectory()
      let gateway = try await Rig.demonstration(prefix: prefix, cleanup)
      let client = try Subprocess(
        Python.path ?? "",
        [
          Repository.path("Tests/Interop/generated_client.py"), "http://127.0.0.1:\(gateway.http.port)\(prefix)",
          directory.path,
        ],
        complaints: .withOutput)
      cleanup.add { await client.destroy() }
      let output = try await client.rest()
      #expect(try await client.ended() == 0, "\(output)")
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

extension APIDocument {
  /// What the examples of an operation's parameters, all together, ask for, and the examples of its body; nil for none.
  fileprivate func example(of operation: Operation) -> (target: String, headers: [String: String], bodies: [String?]) {
    let path = root["paths"][operation.path]
    let node = path[operation.verb.lowercased()]
    var target = operation.path
    var query: [String] = []
    var headers: [String: String] = [:]
    for reference in path["parameters"].elements + node["parameters"].elements {
      let parameter = Schema.followed(reference, in: root)
      let (name, example) = (parameter["name"].text ?? "", parameter["example"])
      func text(_ value: JSON) -> String { value.text ?? value.description }
      if example == .null { continue }
      switch parameter["in"].text {
      case "path": target.replace("{\(name)}", with: text(example))
      case "header": headers[name] = text(example)
      default:
        switch example {
        case .array(let items): query += items.map { "\(name)=\(text($0))" }
        case .object(let members): query += members.map { "\($0.key)=\(text($0.value))" }
        default: query.append("\(name)=\(text(example))")
        }
      }
    }
    if !query.isEmpty { target += "?" + query.joined(separator: "&") }
    let body = Schema.followed(node["requestBody"], in: root)["content"]["application/json"]["examples"]
    let bodies: [String?] = body.members.map { $0.value["value"].description }
    return (target, headers, bodies.isEmpty ? [nil] : bodies)
  }
}

extension HTTPReply {
  /// What `Allow` lists.
  var verbs: Set<String> {
    Set((headers["allow"] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
  }
}

extension JSON {
  /// Whether two problems differ in nothing but the name of their request, and in what was known of the backend.
  fileprivate func isSameProblem(as other: JSON) -> Bool {
    guard case .object(let members) = self else { return false }
    // What depends on the moment, and on where a service is looked for.
    let varying: Set = ["requestId", "diagnosis", "reason", "services"]
    return members.filter { !varying.contains($0.key) } == other.members.filter { !varying.contains($0.key) }
  }
}
