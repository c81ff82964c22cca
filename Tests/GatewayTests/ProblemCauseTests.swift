import MessagePack
import Support
import Testing
import ZeroMQRPC

@testable import Gateway
@testable import HTTPServer

@Suite("What the layers below report", .inTurn(minutes: 3))
struct ProblemCauseTests {
  static let failures: [(CallFailure.Code, ProblemCode)] = [
    (.noBackend, .noBackend), (.overloaded, .overloaded), (.queueFull, .queueFull), (.queueTimeout, .queueTimeout),
    (.breakerOpen, .breakerOpen),
    (.timeout, .timeout), (.backendLost, .backendLost), (.badReply, .badReply), (.replyTooLarge, .replyTooLarge),
  ]

  @Test("is the problem of the same name, for each failure of a call", arguments: failures)
  func calls(failure: CallFailure.Code, code: ProblemCode) {
    for sent in [false, true] {
      let problem = Problem(CallFailure(failure, sent: sent))
      #expect(problem.code == code)
      #expect(problem.code.rawValue == failure.rawValue)
      #expect(problem.sent == sent)
      #expect(!problem.detail.isEmpty)
    }
  }

  @Test(
    "of endpoints that are left alone says in whole seconds when one is tried",
    arguments: [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (9_500, 10), (10_000, 10)])
  func retryAfter(milliseconds: Int, seconds: Int) {
    let failure = CallFailure(.breakerOpen, sent: false, retryAfter: .milliseconds(milliseconds))
    #expect(Problem(failure).retryAfter == seconds)
    #expect(Problem(CallFailure(.noBackend, sent: false)).retryAfter == 1)
  }

  static let rejections: [(Rejection.Code, ProblemCode)] = [
    (.badRequest, .badRequest), (.requestTimeout, .requestTimeout), (.bodyTooLarge, .bodyTooLarge),
    (.lengthRequired, .lengthRequired), (.targetTooLong, .uriTooLong), (.unsupportedEncoding, .unsupportedEncoding),
    (.headersTooLarge, .headersTooLarge), (.notImplemented, .notImplemented), (.overloaded, .overloaded),
    (.unsupportedVersion, .unsupportedVersion),
  ]

  @Test("is the problem of the same name, for each rejection of a request", arguments: rejections)
  func requests(rejection: Rejection.Code, code: ProblemCode) {
    let problem = Problem(Rejection(code: rejection, status: code.status, detail: "why"))
    #expect(problem.code == code)
    #expect(problem.code.rawValue == rejection.rawValue)
    #expect(problem.status == code.status)
    #expect(problem.detail == "why")
  }

  @Test("of a client that was closed tells whether the call may have run")
  func closed() {
    #expect(Problem(CallFailure(.closed, sent: true)).code == .timeout)
    #expect(Problem(CallFailure(.closed, sent: true)).sent)
    #expect(Problem(CallFailure(.closed, sent: false)).code == .draining)
    #expect(!Problem(CallFailure(.closed, sent: false)).sent)
  }

  @Test("under a name that the gateway does not know is called its bug, with that name")
  func unknown() {
    let problem = Problem(CallFailure(.init(rawValue: "meteor"), sent: true))
    #expect(problem.code == .internal)
    #expect(problem.status == 500)
    #expect(problem.sent)
    #expect(problem.detail.contains("meteor"))
    let rejection = Problem(Rejection(code: .init(rawValue: "comet"), status: 418, detail: "why"))
    #expect(rejection.code == .internal)
    #expect(rejection.status == 500)
    #expect(rejection.detail.contains("comet"))
  }

  @Test("of a document is told of its reader's or the backend's fault, for each kind")
  func documents() {
    let kinds: [(TranscodingError.Code, arguments: ProblemCode, reply: ProblemCode)] = [
      (.badJSON, .badJSON, .replyNotRepresentable), (.badShape, .badShape, .replyNotRepresentable),
      (.badMessagePack, .badMessagePack, .badReply), (.tooManyElements, .notEncodable, .replyTooLarge),
      (.tooDeep, .notEncodable, .replyNotRepresentable), (.notEncodable, .notEncodable, .replyNotRepresentable),
      (.notRepresentable, .notEncodable, .replyNotRepresentable),
    ]
    for (kind, arguments, reply) in kinds {
      let error = TranscodingError(code: kind, message: "x", offset: 7, pointer: "/0")
      #expect(Problem(arguments: error).code == arguments)
      #expect(Problem(arguments: error).detail == (kind == .badJSON ? "x (byte 7)" : "x"))
      #expect(!Problem(arguments: error).sent)
      #expect(Problem(reply: error).code == reply)
      #expect(Problem(reply: error).sent)
      #expect(Problem(reply: error).pointer == "/0")
    }
  }
}
