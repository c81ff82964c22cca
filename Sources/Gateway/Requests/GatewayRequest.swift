import HTTPServer
import MessagePack
import Reactor
import ZeroMQRPC

/// One connection's way through the gateway: which service its request is for, and the call or stream it waits for. Used
/// again for each request on the connection.
final class GatewayRequest {
  /// A call that is under way.
  struct Call {
    let backend: RPCUpstream
    let number: UInt32
  }

  unowned let exchange: Exchange
  unowned let handler: GatewayHandler
  var route: Route?
  /// Where the query stands in the target.
  var query = 0..<0
  var backend: Upstream?
  /// What was found wrong with the head; answered when the body is there, which keeps the connection.
  var problem: Problem?
  var call: Call?

  init(_ exchange: Exchange, handler: GatewayHandler) {
    self.exchange = exchange
    self.handler = handler
  }

  /// The head is there: find out whether the request can be served at all.
  func begin() {
    route = nil
    backend = nil
    problem = nil
    do throws(Refusal) {
      try resolve()
    } catch {
      problem = self.problem(error)
      // A long body of a request that is refused anyway is not worth waiting for.
      if hasLongBody, let problem { answer(problem) }
    }
  }

  /// The request is complete.
  func handle() {
    if let problem { return answer(problem) }
    if exchange.method == .options { return answerOptions() }
    do throws(Refusal) {
      switch (route, backend) {
      case (.rpc(_, let method)?, .rpc(let backend)?): try call(method, of: backend)
      case (.push(_, let method)?, .pipeline(let backend)?): try push(method, to: backend)
      case (.pub(_, let topic, let method)?, .pubsub(let backend)?): try publish(topic, method, to: backend)
      case (.sub?, .pubsub(let backend)?): try stream(from: backend)
      case (.live?, _): answer(200, "application/json", Array(#"{"status":"ok"}"#.utf8))
      case (.openAPIJSON?, _): answer(200, "application/json", OpenAPIDocument.json)
      case (.openAPIYAML?, _): answer(200, "application/yaml", OpenAPIDocument.yaml)
      case (.problem(let code)?, _): try page(of: code)
      default: throw Refusal(.noSuchRoute, "Nothing is served at this path.")
      }
    } catch {
      answer(problem(error))
    }
  }

  /// The client is gone before its answer: the backend cannot be told, but the call's place is free again.
  func abandon() {
    guard let call else { return }
    self.call = nil
    handler.counters.abandoned += 1
    call.backend.client.cancel(call.number)
  }

  /// The HTTP layer refuses the request.
  func refuse(_ refusal: Rejection) {
    let code = ProblemCode(rawValue: refusal.code.rawValue)
    var problem = makeProblem(code, refusal.detail)
    problem.status = refusal.status
    answer(problem)
  }

  private var hasLongBody: Bool {
    exchange.count(of: .transferEncoding) > 0 || (exchange.header(.contentLength)?.count ?? 0) > 5
  }

  private func page(of code: String) throws(Refusal) {
    guard let page = ProblemPage.text(code) else { throw Refusal(.noSuchRoute, "There is no problem of that name.") }
    answer(200, ProblemPage.contentType, Array(page.utf8))
  }
}
