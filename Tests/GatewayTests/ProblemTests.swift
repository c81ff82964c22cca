import Foundation
import Support
import Testing

@testable import Gateway

@Suite("A problem", .inTurn(minutes: 3))
struct ProblemTests {
  /// The table of the contract: status and code.
  static let contract: [(Int, String)] = [
    (400, "bad-json"), (400, "bad-msgpack"), (400, "bad-shape"), (400, "invalid-argument"), (422, "not-encodable"),
    (415, "unsupported-media-type"), (415, "unsupported-encoding"), (406, "not-acceptable"), (411, "length-required"),
    (413, "body-too-large"),
    (414, "uri-too-long"), (431, "headers-too-large"), (408, "request-timeout"), (404, "no-such-service"),
    (404, "not-exposed"), (405, "method-not-allowed"), (405, "not-safe"), (401, "unauthenticated"),
    (403, "permission-denied"), (429, "rate-limited"), (429, "too-many-streams"), (503, "too-many-topics"),
    (503, "overloaded"),
    (503, "no-backend"), (503, "queue-full"), (503, "queue-timeout"), (503, "breaker-open"), (503, "draining"),
    (503, "not-ready"),
    (504, "timeout"), (502, "backend-lost"), (502, "bad-reply"), (502, "reply-too-large"),
    (502, "reply-not-representable"), (403, "cross-site"), (421, "misdirected"), (500, "internal"),
    (500, "remote-exception"),
    (404, "no-such-method"), (502, "nested-call"), (404, "no-such-route"), (404, "no-such-topic"), (400, "bad-target"),
    (400, "bad-query"), (400, "unknown-parameter"), (400, "bad-timeout"), (400, "bad-request"),
    (501, "not-implemented"),
    (505, "unsupported-version"), (410, "call-gone"), (400, "bad-idempotency-key"), (409, "idempotency-key-in-use"),
    (422, "idempotency-key-reused"), (500, "reload-failed"), (503, "undecided"),
  ]

  @Test("names no setting that is not documented")
  func settings() throws {
    let documents = try Repository.text("docs/configuration.md")
    var names: Set<String> = []
    for code in ProblemCode.allCases {
      let quoted = "\(code.row.meaning) \(code.row.remedy)".split(separator: "`", omittingEmptySubsequences: false)
      for (index, word) in quoted.enumerated() where index % 2 == 1 {
        let isName = word.allSatisfy { "a"..."z" ~= $0 || $0 == "." || $0 == "-" }
        if isName, word.contains(".") || word.contains("-"), word != "same-origin" { names.insert(String(word)) }
      }
    }
    #expect(names.isSuperset(of: ["http.limits.body", "reply-limit", "in-flight"]))
    for name in names {
      // In the table of its section, or with it.
      let isThere = [name, String(name.split(separator: ".").last ?? "")].contains { documents.contains("| `\($0)` |") }
      #expect(isThere, "\(name)")
    }
  }

  @Test("has the status of its code", arguments: contract)
  func status(status: Int, code: String) throws {
    let known = try #require(ProblemCode(rawValue: code))
    #expect(known.status == status)
    #expect(Problem(known).status == status)
    #expect(Problem(known).retryAfter == ([429, 503].contains(status) ? 1 : nil))
    #expect(Problem(known).isRetryable == [408, 409, 429, 503].contains(status))
  }

  @Test("of every code is in the contract's table, has a title and a page", arguments: ProblemCode.allCases)
  func pages(code: ProblemCode) throws {
    #expect(Self.contract.contains { $0.1 == code.rawValue })
    #expect(!code.title.isEmpty)
    let page = try #require(ProblemPage(code.rawValue))
    #expect(page.markdown.hasPrefix("# \(code.rawValue)\n\n\(code.title). Status "))
    #expect(page.markdown.contains("**What to do.**"))
    #expect(page.markdown.contains("**Did it run?**"))
    #expect(page.html.contains("<h1>\(code.rawValue)</h1>"))
    // Nothing of Markdown is left, and each mark of code is closed.
    #expect(!page.html.contains("`") && !page.html.contains("**"))
    #expect(page.html.split(separator: "<code>").count == page.html.split(separator: "</code>").count)
    #expect(
      ProblemPage(prefix: "/api").markdown.contains(
        "\n- [\(code.rawValue)](/api/problems/\(code.rawValue)): \(code.title)"))
    #expect(ProblemPage(prefix: "").html.contains("<li><a href=\"/problems/\(code.rawValue)\">\(code.rawValue)</a>: "))
  }

  @Test("page exists for codes only")
  func unknown() {
    #expect(ProblemCode(rawValue: "new") == nil)
    #expect(ProblemPage("new") == nil)
  }

  @Test("is written with its members in the order of the contract")
  func json() {
    var problem = Problem(.timeout, "No reply.")
    (problem.instance, problem.requestID) = ("/rpc/math/add", "r1")
    problem.sent = true
    #expect(
      String(decoding: problem.json(prefix: "/api"), as: UTF8.self)
        == #"{"type":"/api/problems/timeout","title":"The backend did not answer in time","status":504,"#
        + #""detail":"No reply.","instance":"/rpc/math/add","code":"timeout","origin":"gateway","sent":true,"#
        + #""retryable":false,"requestId":"r1"}"#)
    problem = Problem(.notEncodable)
    (problem.instance, problem.requestID) = ("/", "r")
    problem.pointer = "/args/0"
    #expect(
      String(decoding: problem.json(), as: UTF8.self)
        == #"{"type":"/problems/not-encodable","title":"A value cannot travel to the service","status":422,"#
        + #""instance":"/","code":"not-encodable","origin":"gateway","sent":false,"retryable":false,"#
        + #""requestId":"r","pointer":"/args/0"}"#)
  }

  @Test("is valid JSON whatever its texts hold")
  func escapes() throws {
    let text = "\u{0}\u{1F}\"\\\n\r\t\u{7F}ä\u{2028}😀/"
    var problem = Problem(.internal, text)
    (problem.instance, problem.requestID) = (text, text)
    let object = try JSONSerialization.jsonObject(with: Data(problem.json())) as? [String: Any]
    for member in ["detail", "instance", "requestId"] { #expect(object?[member] as? String == text) }
  }

  @Test("has headers for its code, for waiting and for verbs")
  func headers() {
    func lines(_ problem: Problem) -> [String] { problem.headers.map { "\($0.name): \($0.value)" } }
    #expect(lines(Problem(.badJSON)) == ["Gateway-Error: bad-json"])
    #expect(lines(Problem(.overloaded)) == ["Gateway-Error: overloaded", "Retry-After: 1"])
    #expect(lines(Problem(.draining)) == ["Gateway-Error: draining", "Retry-After: 1"])
    let problem = Problem(.methodNotAllowed, "No.", allow: "POST, OPTIONS")
    #expect(lines(problem) == ["Gateway-Error: method-not-allowed", "Allow: POST, OPTIONS"])
  }

  @Test("of a remote exception shows as much as the configuration lets out")
  func exposure() {
    let exception = ShownException(
      type: "builtins.ValueError", arguments: Array(#"["x",1]"#.utf8), repr: "ValueError('x', 1)")
    func written(_ exposure: Configuration.Exposure, status: Int = 400) -> String {
      var problem = Problem(exception, .init(status), exposing: exposure)
      (problem.instance, problem.requestID) = ("/", "r")
      return String(decoding: problem.json(), as: UTF8.self)
    }
    let start = #"{"type":"/problems/remote-exception","title":"The method raised an exception","status":400,"#
    let rest =
      #""instance":"/","code":"remote-exception","origin":"backend","sent":true,"retryable":false,"requestId":"r""#
    let raised = #""detail":"The method raised builtins.ValueError.","#
    #expect(
      written(.full) == start + #""detail":"ValueError('x', 1)","# + rest
        + #","exception":{"type":"builtins.ValueError","args":["x",1],"repr":"ValueError('x', 1)"}}"#)
    #expect(
      written(.message) == start + raised + rest + #","exception":{"type":"builtins.ValueError","args":["x",1]}}"#)
    #expect(written(.class) == start + raised + rest + #","exception":{"type":"builtins.ValueError"}}"#)
    #expect(written(.none) == start + rest + "}")
    for status in [400, 499] { #expect(written(.auto, status: status) == written(.message, status: status)) }
    for status in [500, 599] { #expect(written(.auto, status: status) == written(.class, status: status)) }
  }

  @Test("of a remote exception that asks to come back says when, but is not retryable")
  func remoteRetry() {
    let exception = ShownException(type: "asyncio.queues.QueueFull", arguments: nil, repr: nil)
    let problem = Problem(exception, .init(503), exposing: .full)
    #expect(problem.retryAfter == 1)
    #expect(!problem.isRetryable)
    #expect(problem.sent)
    #expect(problem.origin == .backend)
  }
}
