import Support
import Testing

/// An answer beside what the document says of it.
struct Answer {
  private let reply: HTTPReply
  private let operation: APIDocument.Operation
  private let outcome: Outcome
  private let response: APIDocument.Response
  private let document: APIDocument

  init(
    _ reply: HTTPReply, to operation: APIDocument.Operation, _ outcome: Outcome, _ response: APIDocument.Response,
    _ document: APIDocument
  ) {
    self.reply = reply
    self.operation = operation
    self.outcome = outcome
    self.response = response
    self.document = document
  }

  /// Headers that HTTP itself brings along.
  private static let common: Set<String> = [
    "connection", "content-length", "content-type", "date", "transfer-encoding",
  ]
  /// Headers of every answer, documented once.
  private static let standing = ["x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"]

  func check() {
    // The status that the configuration of the tests gives to one class of exceptions stands for all of them.
    let status = outcome.status == "default" ? 418 : Int(outcome.status)
    #expect(reply.status == status, "\(outcome): \(reply.body)")
    #expect(reply.headers["gateway-error"] == outcome.code, "\(outcome)")
    checkHeaders()
    checkBody()
    if operation.verb == "OPTIONS", reply.status == 204 {
      #expect(reply.verbs == document.verbs(of: operation.path), "\(outcome)")
    }
  }

  private func checkHeaders() {
    for (name, header) in response.headers {
      guard let text = reply.headers[name] else {
        #expect(!header.isRequired, "\(outcome): \(name) is missing")
        continue
      }
      let value = header.schema["type"] == "integer" ? JSON.number(text) : .string(text)
      #expect(Schema(header.schema, in: document.root).faults(value) == [], "\(outcome): \(name)")
    }
    for (name, value) in Self.standing { #expect(reply.headers[name] == value, "\(outcome): \(name)") }
    let requestID = reply.headers["x-request-id"] ?? ""
    #expect(requestID != "", "\(outcome)")
    if outcome.code != nil, !reply.bytes.isEmpty { #expect(reply.json["requestId"].text == requestID, "\(outcome)") }
    let extra = Set(reply.headers.keys).subtracting(Self.common).subtracting(Self.standing.keys)
      .subtracting(["x-request-id"]).subtracting(response.headers.keys)
    #expect(extra == [], "\(outcome): headers that are not documented")
    let type = reply.headers["content-type"]?.split(separator: ";").first.map(String.init)
    #expect(type == response.contentType, "\(outcome)")
  }

  private func checkBody() {
    guard operation.verb != "HEAD", let type = response.contentType else {
      return #expect(reply.bytes.isEmpty, "\(outcome)")
    }
    let isText = type == "application/yaml" || type == "text/markdown" || type == "text/plain"
    let body = isText ? JSON.string(reply.body) : reply.json
    #expect(Schema(response.schema, in: document.root).faults(body) == [], "\(outcome)")
    guard let code = outcome.code else { return }
    #expect(body["code"].text == code, "\(outcome)")
    #expect(body["status"].integer == reply.status, "\(outcome)")
    #expect(body["type"].text == "/problems/\(code)", "\(outcome)")
  }
}
