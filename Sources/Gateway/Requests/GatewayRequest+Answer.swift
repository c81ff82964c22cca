import HTTPServer
import Logging
import MessagePack
import ZeroMQRPC

/// Answering, and above all answering with a problem.
extension GatewayRequest {
  func answer(_ status: Int, _ type: StaticString, _ body: [UInt8]) {
    body.withUnsafeBytes { exchange.respond(status, contentType: type, body: $0) }
  }

  func answerOptions() {
    let isSafe: Bool
    if case .rpc(_, let method)? = route, case .rpc(let backend)? = backend {
      isSafe = backend.policy.decision(for: method) == .safe
    } else {
      isSafe = false
    }
    // `OPTIONS *` names no route: it asks for what the server as a whole takes.
    let allow = route.map { $0.verbs(isSafe: isSafe).allow } ?? ([.get, .head, .post, .options] as Verbs).allow
    exchange.respond(
      204, contentType: "", headers: [("Allow", allow)], body: UnsafeRawBufferPointer(start: nil, count: 0))
  }

  func answer(_ problem: Problem) {
    handler.logger.debug(
      "problem",
      metadata: [
        "code": "\(problem.code.rawValue)", "status": "\(problem.status)", "request-id": "\(problem.requestID)",
        "instance": "\(problem.instance)",
      ])
    problem.json(prefix: handler.prefix).withUnsafeBytes {
      exchange.respond(problem.status, contentType: Problem.contentType, headers: problem.headers, body: $0)
    }
  }

  /// Does something that can fail in ways a client is told of; what is refused before it began is thrown on.
  func answeringFailures(_ body: () throws -> Void) throws(Refusal) {
    do {
      try body()
    } catch let refusal as Refusal {
      throw refusal
    } catch let error as TranscodingError {
      answer(problem(error))
    } catch let failure as CallFailure {
      answer(problem(failure))
    } catch {
      answer(makeProblem(.internal, "\(error)"))
    }
  }

  func problem(_ refusal: Refusal) -> Problem {
    var problem = makeProblem(refusal.code, refusal.detail)
    problem.allow = refusal.allow
    return problem
  }

  func makeProblem(_ code: ProblemCode, _ detail: String) -> Problem {
    let target = exchange.target
    let path = UnsafeRawBufferPointer(rebasing: target.prefix { $0 != UInt8(ascii: "?") })
    return Problem(code, detail: detail, instance: String(decoding: path, as: UTF8.self), requestID: requestID)
  }

  /// The client's own `X-Request-Id` where it is fit to be repeated, else a fresh one.
  private var requestID: String {
    if let given = exchange.header(.requestID), 1...128 ~= given.count, given.allSatisfy({ 0x21...0x7E ~= $0 }) {
      return String(decoding: given, as: UTF8.self)
    }
    return String(UInt64.random(in: .min ... .max), radix: 36)
  }

  /// A body that cannot be turned into arguments.
  func problem(_ error: TranscodingError) -> Problem {
    let code: ProblemCode =
      switch error.code {
      case .badJSON: .badJSON
      case .badShape: .badShape
      case .badMessagePack: .badMessagePack
      default: .notEncodable
      }
    let place = error.code == .badJSON ? " (byte \(error.offset))" : ""
    var problem = makeProblem(code, error.message + place)
    problem.pointer = error.pointer
    return problem
  }

  /// A call without a reply.
  func problem(_ failure: CallFailure) -> Problem {
    var problem = makeProblem(ProblemCode(rawValue: failure.code.rawValue), failure.advice)
    if failure.code == .closed {
      // 503 would say that it was never sent.
      problem =
        failure.sent
        ? makeProblem(.timeout, "The gateway stopped before the reply came. The method may have run, or run still.")
        : makeProblem(.draining, "The gateway stopped before a backend had room. The call was not sent.")
    }
    problem.sent = failure.sent
    return problem
  }
}

extension CallFailure {
  /// What happened, for the caller of the method.
  fileprivate var advice: String {
    switch code {
    case .noBackend: "No backend of this service is connected. The call was not sent."
    case .overloaded: "As many calls as this service allows are under way. The call was not sent."
    case .queueFull: "Every connected backend of this service is full. The call was not sent."
    case .queueTimeout: "The deadline passed before a backend had room. The call was not sent."
    case .timeout: "The backend did not answer before the deadline. The method may have run, or run still."
    case .backendLost: "The backend disconnected after the call was sent. The method may have run."
    case .badReply: "The backend's reply is not that of an aiozmq service."
    case .replyTooLarge: "The backend's reply is longer than this service's reply-limit."
    default: ""
    }
  }
}
