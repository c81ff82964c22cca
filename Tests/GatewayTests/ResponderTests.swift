import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("A responder", .inTurn(minutes: 3))
struct ResponderTests {
  private func with(_ target: String, _ body: @Sendable (any Responder) throws -> Void) async throws {
    try await RouterBench.with { try body(try $0.route(.get, Array(target.utf8).span).responder) }
  }

  @Test(
    "takes its methods and names them",
    arguments: [
      ("/rpc/math/add", "POST, OPTIONS"), ("/rpc/math/get", "GET, HEAD, POST, OPTIONS"),
      ("/push/jobs/get", "POST, OPTIONS"), ("/pub/news/t/get", "POST, OPTIONS"), ("/sub/news", "GET, HEAD, OPTIONS"),
      ("/live", "GET, HEAD, OPTIONS"), ("/ready", "GET, HEAD, OPTIONS"), ("/openapi.json", "GET, HEAD, OPTIONS"),
      ("/openapi.yaml", "GET, HEAD, OPTIONS"), ("/problems/timeout", "GET, HEAD, OPTIONS"),
      ("/", "GET, HEAD, OPTIONS"), ("/problems", "GET, HEAD, OPTIONS"),
    ])
  func methods(target: String, allow: String) async throws {
    try await with(target) { responder in
      #expect(responder.methods.allow == allow)
      for method in HTTPMethod.allCases where !responder.methods.contains(method) {
        let problem = responder.refusal(of: method)
        let isUnsafe = target.hasPrefix("/rpc") && (method == .get || method == .head)
        #expect(problem.code == (isUnsafe ? .notSafe : .methodNotAllowed))
        #expect(problem.allow == allow)
      }
    }
  }

  @Test(
    "of a service takes no work while the gateway stops; one that tells of the gateway goes on",
    arguments: [
      ("/rpc/math/add", false), ("/push/jobs/get", false), ("/pub/news/t/get", false), ("/sub/news", false),
      ("/live", true), ("/ready", true), ("/openapi.json", true), ("/openapi.yaml", true), ("/problems/timeout", true),
      ("/", true), ("/problems", true),
    ])
  func operations(target: String, isOperation: Bool) async throws {
    try await with(target) { #expect($0.isOperation == isOperation) }
  }

  @Test("fits into an existential without memory of its own where calls take it")
  func size() {
    #expect(MemoryLayout<CallResponder>.size <= 3 * MemoryLayout<Int>.size)
    #expect(MemoryLayout<PushResponder>.size <= 3 * MemoryLayout<Int>.size)
    #expect(MemoryLayout<StreamResponder>.size <= 3 * MemoryLayout<Int>.size)
  }
}
