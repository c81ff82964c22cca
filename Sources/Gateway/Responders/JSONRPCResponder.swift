import HTTPServer
import MessagePack
import ZeroMQRPC

/// `/jsonrpc/{service}`: one or several calls as a document of JSON-RPC 2.0 (jsonrpc.org/specification).
///
/// The document is cut into its requests, and each is read by itself, so arguments that cannot travel concern no other call. All calls
/// go to the engine at once; a `CallGroup` waits for their ends. What is wrong with a call is told in its own answer, and the status is
/// 200; what is wrong with the request as HTTP is a problem as elsewhere. A notification is a call whose end nobody waits for, the
/// client's leaving included.
struct JSONRPCResponder: Responder {
  let upstream: RPCUpstream
  private let service: String

  init(service: String, in upstreams: UpstreamTable) throws(Problem) {
    upstream = try upstreams.rpc(service)
    self.service = service
  }

  /// The method of that name, if the caller may call it.
  private func method(_ name: String, for request: GatewayRequest) throws(Problem) -> MethodName {
    try request.permissions?.check(calling: name, of: service)
    try request.check(.call(name, of: service))
    let method = try upstream.method(name)
    try request.countsItem(upstream.settings(of: method).cost)
    return method
  }

  /// What the calls of a body want, those that say it.
  static func wishes(_ body: UnsafeRawBufferPointer, of service: String, atMost limit: Int) -> [Wish] {
    JSONRPCDocument.methods(in: body, atMost: limit).map { .call($0, of: service) }
  }

  var methods: HTTPMethod.Set { .submit }
  var kind: RouteKind { .jsonrpc }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func beginUnread(_ request: GatewayRequest) throws(Problem) { _ = try timeout(request, isUnread: true) }

  private static let controls: Set<String> = [RequestTimeout.parameter]

  /// How long the request gives its calls; refuses one whose query or declared type is wrong.
  private func timeout(_ request: GatewayRequest, isUnread: Bool = false) throws(Problem) -> Duration? {
    let query = try request.query(.nothing, controls: Self.controls)
    let timeout = try CallResponder.askedTimeout(request, query)
    let isJSONRPC = request.header(.contentType).map(MediaType.isJSONRPC) ?? false
    if !isJSONRPC { try request.checkContentType(isUnread: isUnread) }
    return timeout
  }

  func respond(to request: GatewayRequest) throws(Problem) {
    let timeout = try timeout(request)
    let buffers = request.buffers
    defer { buffers.clear() }
    let document: JSONRPCDocument
    do throws(JSONRPCFault) {
      document = try JSONRPCDocument(request.body, upstream, into: &buffers.request)
    } catch {
      return request.answer(200, "application/json", error.answer(id: JSONRPCDocument.noID))
    }
    let group = CallGroup<JSONRPCAnswer>(request, isSingle: document.isSingle)
    var notificationsTaken = 0
    var refusal: Problem?
    for item in document.items {
      switch item {
      case .invalid(let id): group.add(.invalidRequest(id: id), because: JSONRPCAnswer.notRequest)
      case .unsendable(let problem, let id?): group.add(problem, id: id)
      case .unsendable(let problem, nil):
        // Nobody is told of a notification that cannot be made.
        request.callBooks.begin()
        request.callBooks.end(problem)
      case .call(let name, var frames, let id?):
        do throws(Problem) {
          let method = try method(name, for: request)
          let left = try request.timeLeft(timeout, of: upstream.settings(of: method))
          try upstream.tell(method, of: request, asking: left, in: &frames, &buffers.request)
          group.add(method, of: upstream, id: id, frames, in: buffers.request, asking: left)
        } catch {
          group.add(error, id: id)
        }
      case .call(let name, var frames, nil):
        request.callBooks.begin()
        do throws(Problem) {
          let method = try method(name, for: request)
          let left = try request.timeLeft(timeout, of: upstream.settings(of: method))
          try upstream.tell(method, of: request, asking: left, in: &frames, &buffers.request)
          _ = try upstream.call(
            method, frames, in: buffers.request, asking: left,
            replyTo: JSONRPCNotification(countedIn: request.callBooks))
          notificationsTaken += 1
        } catch {
          // Whatever is wrong with the arguments of a notification, nobody is told.
          if error.code != .invalidArgument { refusal = error }
          request.callBooks.end(error)
        }
      }
    }
    guard group.isEmpty else { return group.answer() }
    if notificationsTaken == 0, let refusal { throw refusal }
    request.answer(204, "", UnsafeRawBufferPointer(start: nil, count: 0))
  }
}

/// A call whose end nobody waits for.
private final class JSONRPCNotification: ReplyHandler {
  private let books: CallBooks

  init(countedIn books: CallBooks) { self.books = books }

  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) { books.endAlone(isException: isException) }
  func replied(_ reply: LongReply) { books.endAlone(isException: reply.isException) }
  func failed(_ failure: CallFailure) { books.endAlone(Problem(failure)) }
}

/// What one request of a document is answered with.
enum JSONRPCAnswer: PartialAnswer {
  /// There was no call to be made.
  case invalidRequest(id: [UInt8])
  case outcome(CallOutcome, id: [UInt8])

  init(_ outcome: CallOutcome, id: [UInt8]) { self = .outcome(outcome, id: id) }

  /// What is wrong with what is no request.
  static let notRequest = Problem(
    .badShape, "A request has \"jsonrpc\": \"2.0\", a \"method\", and perhaps \"params\" and an \"id\".")

  var count: Int {
    switch self {
    case .invalidRequest(let id): 200 + id.count
    case .outcome(let outcome, let id): outcome.body.count + 100 + id.count
    }
  }

  func write(to json: inout ByteBuffer) {
    switch self {
    case .invalidRequest(let id):
      let fault = JSONRPCFault(.invalidRequest, Self.notRequest.detail)
      fault.answer(id: id).withUnsafeBytes { json.append($0) }
    case .outcome(let outcome, let id):
      if let problem = outcome.problem {
        JSONRPCFault(problem, document: outcome.body.bytes).answer(id: id).withUnsafeBytes { json.append($0) }
      } else {
        json.append(#"{"jsonrpc":"2.0","result":"#)
        json.append(outcome.body.bytes)
        json.append(#","id":"#)
        id.withUnsafeBytes { json.append($0) }
        json.append("}")
      }
    }
  }
}

/// An error object of JSON-RPC.
struct JSONRPCFault: Error {
  /// The codes of the specification, section 5.1.
  struct Code: RawRepresentable, Hashable, Sendable {
    let rawValue: Int
    static let parse = Code(rawValue: -32_700)
    static let invalidRequest = Code(rawValue: -32_600)
    static let methodNotFound = Code(rawValue: -32_601)
    static let invalidParams = Code(rawValue: -32_602)
    static let internalError = Code(rawValue: -32_603)
    /// The first of those that a server may define.
    static let server = Code(rawValue: -32_000)
  }

  let code: Code
  let message: String
  /// What more is known, as JSON.
  let data: [UInt8]?

  init(_ code: Code, _ detail: String) {
    self.code = code
    message =
      switch code {
      case .parse: "Parse error"
      case .invalidRequest: "Invalid Request"
      default: "Internal error"
      }
    var json = JSONWriter()
    json.string(detail)
    data = json.bytes
  }

  /// The failure of one call: its problem document is the `data`.
  init(_ problem: Problem, document: UnsafeRawBufferPointer) {
    (code, message) =
      switch problem.code {
      case .notExposed, .noSuchMethod: (.methodNotFound, "Method not found")
      case .invalidArgument, .notEncodable: (.invalidParams, "Invalid params")
      case .internal: (.internalError, "Internal error")
      default: (.server, problem.code.title)
      }
    data = Array(document)
  }

  /// The whole answer to the request of that `id`, which is JSON.
  func answer(id: [UInt8]) -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.member("jsonrpc", "2.0")
    json.key("error")
    json.open("{")
    json.member("code", code.rawValue)
    json.member("message", message)
    if let data {
      json.key("data")
      json.raw(data)
    }
    json.close("}")
    json.key("id")
    json.raw(id)
    json.close("}")
    return json.bytes
  }
}
