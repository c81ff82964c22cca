import Foundation
import Gateway
import Support

/// What `openapi/gateway.yaml` promises, read from what the gateway serves: the same document, read as YAML.
struct APIDocument {
  /// One verb of one path.
  struct Operation: Hashable {
    let id: String
    let path: String
    let verb: String
    /// By status, `default` included.
    let responses: [String: Response]
  }

  /// One answer of an operation.
  struct Response: Hashable {
    /// The name of the component.
    let name: String
    let headers: [String: Header]
    /// The one media type of its body; nil when it has none.
    let contentType: String?
    let schema: JSON
    let example: JSON

    /// The codes of the problem, from the header `Gateway-Error`; empty for what is no problem.
    var codes: [String] { headers["gateway-error"]?.schema["enum"].elements.compactMap(\.text) ?? [] }
  }

  struct Header: Hashable {
    let isRequired: Bool
    let schema: JSON
  }

  let root: JSON
  let operations: [Operation]

  init() throws {
    guard let root = JSON(String(decoding: OpenAPIDocument().json, as: UTF8.self)) else { throw Broken() }
    self.root = root
    var operations: [Operation] = []
    for path in root["paths"].members {
      for verb in path.value.members where verb.key != "parameters" {
        var responses: [String: Response] = [:]
        for response in verb.value["responses"].members {
          responses[response.key] = Self.response(response.value, root)
        }
        operations.append(
          Operation(
            id: verb.value["operationId"].text ?? "", path: path.key, verb: verb.key.uppercased(), responses: responses)
        )
      }
    }
    self.operations = operations
  }

  private struct Broken: Error {}

  /// Every pair of operation and status, and for problems every code.
  var outcomes: Set<Outcome> {
    var outcomes: Set<Outcome> = []
    for operation in operations {
      for (status, response) in operation.responses {
        let codes: [String?] = response.codes.isEmpty ? [nil] : response.codes
        for code in codes { outcomes.insert(Outcome(operation.id, status, code)) }
      }
    }
    return outcomes
  }

  /// The verbs a path takes.
  func verbs(of path: String) -> Set<String> {
    Set(operations.filter { $0.path == path }.map(\.verb))
  }

  /// A schema of that name.
  func schema(_ name: String) -> Schema { Schema(root["components"]["schemas"][name], in: root) }

  private static func response(_ node: JSON, _ root: JSON) -> Response {
    let response = Schema.followed(node, in: root)
    let content = response["content"].members.first
    var headers: [String: Header] = [:]
    for member in response["headers"].members {
      let header = Schema.followed(member.value, in: root)
      headers[member.key.lowercased()] = Header(isRequired: header["required"] == true, schema: header["schema"])
    }
    let name = node["$ref"].text?.split(separator: "/").last.map(String.init) ?? ""
    return Response(
      name: name, headers: headers, contentType: content?.key, schema: content?.value["schema"] ?? .null,
      example: content?.value["example"] ?? .null)
  }
}

extension JSON {
  /// The members of an object, in their order.
  var members: [Member] { if case .object(let members) = self { members } else { [] } }
}
