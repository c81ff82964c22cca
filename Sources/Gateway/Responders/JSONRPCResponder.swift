import HTTPServer
import MessagePack
import ZeroMQRPC

/// `/jsonrpc/{service}`: one or several calls as a document of JSON-RPC 2.0 (jsonrpc.org/specification).
///
/// The document becomes MessagePack as a whole, and what stands at `params` is then the arguments of a call as they are. All calls go
/// to the engine at once; a `CallGroup` waits for their ends. What is wrong with a call is told in its own answer, and the status is
/// 200; what is wrong with the request as HTTP is a problem as elsewhere. A notification is a call whose end nobody waits for, the
/// client's leaving included.
struct JSONRPCResponder: Responder {
  let upstream: RPCUpstream

  init(service: String, in upstreams: UpstreamTable) throws(Problem) { upstream = try upstreams.rpc(service) }

  var methods: HTTPMethod.Set { .submit }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  private static let controls: Set<String> = [RequestTimeout.parameter]

  func respond(to request: GatewayRequest) throws(Problem) {
    let query = try request.query(.nothing, controls: Self.controls)
    let timeout = try CallResponder.askedTimeout(request, query)
    try request.checkContentType()
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
      case .invalid(let id): group.add(.invalidRequest(id: id))
      case .call(let method, let frames, let id?):
        do throws(Problem) {
          group.add(
            try upstream.method(method), of: upstream, id: id, frames, in: buffers.request, asking: timeout)
        } catch {
          group.add(error, id: id)
        }
      case .call(let method, let frames, nil):
        do throws(Problem) {
          _ = try upstream.call(
            try upstream.method(method), frames, in: buffers.request, asking: timeout, replyTo: JSONRPCNotification())
          notificationsTaken += 1
        } catch {
          refusal = error
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
  func replied(_ body: UnsafeRawBufferPointer, isException: Bool) {}
  func replied(_ reply: LongReply) {}
  func failed(_ failure: CallFailure) {}
}

/// What one request of a document is answered with.
enum JSONRPCAnswer: PartialAnswer {
  /// There was no call to be made.
  case invalidRequest(id: [UInt8])
  case outcome(CallOutcome, id: [UInt8])

  init(_ outcome: CallOutcome, id: [UInt8]) { self = .outcome(outcome, id: id) }

  var count: Int {
    switch self {
    case .invalidRequest(let id): 200 + id.count
    case .outcome(let outcome, let id): outcome.body.count + 100 + id.count
    }
  }

  func write(to json: inout ByteBuffer) {
    switch self {
    case .invalidRequest(let id):
      let fault = JSONRPCFault(
        .invalidRequest, "A request has \"jsonrpc\": \"2.0\", a \"method\", and perhaps \"params\" and an \"id\".")
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

/// A document of JSON-RPC, taken apart: the places of its calls in a buffer of MessagePack.
struct JSONRPCDocument {
  /// What is told as the `id` of a request that has none that can be told.
  static let noID = Array("null".utf8)

  /// One member of a batch, or the only one.
  enum Item {
    /// A call; `id` is JSON, and nil for a notification.
    case call(method: String, frames: CallFrames, id: [UInt8]?)
    /// What is no request.
    case invalid(id: [UInt8])
  }

  let isSingle: Bool
  let items: [Item]

  /// Reads a body into the buffer. Throws what is wrong with the whole.
  init(_ body: UnsafeRawBufferPointer, _ upstream: RPCUpstream, into buffer: inout ByteBuffer) throws(JSONRPCFault) {
    do throws(TranscodingError) {
      try upstream.reader.transcode(body, into: &buffer)
    } catch {
      throw JSONRPCFault(error.code == .badJSON ? .parse : .invalidRequest, Problem(arguments: error).detail)
    }
    do throws(TranscodingError) {
      (items, isSingle) = try buffer.withUnsafeBytes { bytes throws(TranscodingError) in
        try Self.read(bytes, atMost: upstream.longestBatch, upstream.reader.limits)
      }
    } catch {
      // The transcoder has made it, within the same limits.
      throw JSONRPCFault(.internalError, error.message)
    }
    if items.isEmpty {
      throw JSONRPCFault(
        .invalidRequest, "A document is a request or an array of 1 to \(upstream.longestBatch) of them.")
    }
  }

  /// No items when it is neither an object nor an array of allowed length.
  private static func read(
    _ bytes: UnsafeRawBufferPointer, atMost most: Int, _ limits: TranscodingLimits
  ) throws(TranscodingError) -> (items: [Item], isSingle: Bool) {
    var cursor = Cursor(bytes, limits: limits)
    switch try cursor.next() {
    case .map(let count): return ([try readItem(&cursor, count, bytes)], true)
    case .array(let count) where 1...most ~= count:
      var items: [Item] = []
      for _ in 0..<count {
        let start = cursor
        if case .map(let members) = try cursor.next() {
          items.append(try readItem(&cursor, members, bytes))
        } else {
          cursor = start
          try cursor.skipValue()
          items.append(.invalid(id: noID))
        }
      }
      return (items, false)
    default: return ([], false)
    }
  }

  /// Reads the members of an object.
  private static func readItem(
    _ cursor: inout Cursor, _ count: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(TranscodingError) -> Item {
    var (isVersion2, isValid) = (false, true)
    var (method, id): (String?, [UInt8]?) = (nil, nil)
    var frames = CallFrames()
    for _ in 0..<count {
      var name = ""
      if case .string(let text) = try cursor.next() {
        name = String(decoding: text, as: UTF8.self)
      } else {
        return .invalid(id: id ?? noID)
      }
      let start = cursor
      let token = try cursor.next()
      cursor = start
      try cursor.skipValue()
      let range = start.offset..<cursor.offset
      switch (name, token) {
      case ("jsonrpc", .string(let text)): isVersion2 = text.elementsEqual("2.0".utf8)
      case ("method", .string(let text)): method = String(decoding: text, as: UTF8.self)
      case ("params", .array): frames.arguments = range
      case ("params", .map): frames.keywords = range
      case ("id", .string), ("id", .int), ("id", .uint), ("id", .double), ("id", .nil):
        id = try json(UnsafeRawBufferPointer(rebasing: bytes[range]))
      case ("jsonrpc", _), ("method", _), ("params", _), ("id", _): isValid = false
      default: break
      }
    }
    guard isVersion2, isValid, let method else { return .invalid(id: id ?? noID) }
    return .call(method: method, frames: frames, id: id)
  }

  private static func json(_ value: UnsafeRawBufferPointer) throws(TranscodingError) -> [UInt8] {
    var buffer = ByteBuffer()
    try MessagePackToJSON().transcode(value, into: &buffer)
    return buffer.withUnsafeBytes { Array($0) }
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
      case .invalidArgument: (.invalidParams, "Invalid params")
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
