/// An error as the client sees it: a problem document (RFC 9457) and the headers that go with it.
///
/// Thrown wherever a request cannot be served. Whoever throws it says what is wrong; the request that answers with it adds
/// its own path and name.
struct Problem: Error, Hashable, Sendable {
  /// Whose error it is.
  enum Origin: String, Hashable, Sendable {
    case gateway, backend
  }

  /// The media type of `json`.
  static let contentType: StaticString = "application/problem+json"

  /// What went wrong, as a stable word.
  var code: ProblemCode
  /// The status of the response (default: the code's).
  var status: Int
  /// This occurrence, in a sentence; empty for none.
  var detail: String
  /// The path of the request.
  var instance = ""
  /// Whose error it is (default: the gateway's).
  var origin = Origin.gateway
  /// Whether the call left the gateway, and so may have run (default: no).
  var sent = false
  /// Whether simply sending it again may help and cannot run it twice (default: the code's).
  var isRetryable: Bool
  /// Names the request in logs.
  var requestID = ""
  /// When to try again, in seconds (default: 1 for 503 and 429, else none).
  var retryAfter: Int?
  /// The methods allowed here, for 405.
  var allow: String?
  /// How credentials are sent, for 401: each a line of `WWW-Authenticate`, since browsers read one of them in a line.
  var challenges: [String] = []
  /// The remote exception, as much of it as may be shown.
  var exception: ShownException?
  /// A JSON pointer (RFC 6901) to the value at fault.
  var pointer: String?
  /// For `no-backend`: why there is none, as a stable word, when that is known.
  var reason: String?
  /// For `timeout`: why the backend was silent.
  var diagnosis: Diagnosis?
  /// For `not-ready`: each service and its connection, as a JSON object.
  var services: [UInt8]?

  init(_ code: ProblemCode, _ detail: String = "", allow: String? = nil) {
    self.code = code
    self.status = code.status
    self.detail = detail
    self.allow = allow
    self.isRetryable = code.isRetryable
    self.retryAfter = code.status == 503 || code.status == 429 ? 1 : nil
  }

  /// An exception a backend answered with, as its status and as much of it as callers may see.
  init(_ exception: ShownException, _ verdict: ErrorMap.Verdict, exposing exposure: Configuration.Exposure) {
    let shown = exception.shown(exposure, status: verdict.status)
    self.init(verdict.code, shown.map { $0.repr ?? "The method raised \($0.type)." } ?? "")
    self.status = verdict.status
    self.exception = shown
    self.retryAfter = verdict.retryAfter
    origin = .backend
    sent = true
    // Whatever the status, the method began to run.
    isRetryable = false
  }

  /// Where a problem occurs.
  struct Occurrence: Sendable {
    /// What the paths of the gateway start with.
    let prefix: String
    let path: String
    let requestID: String
  }

  /// The problem with the path and the name of the request it occurs at.
  func at(_ occurrence: Occurrence) -> Problem {
    var problem = self
    problem.instance = occurrence.path
    problem.requestID = occurrence.requestID
    return problem
  }

  /// As a caller with these permissions hears it: of what is not there, without a word on what else there is, unless they may do everything.
  func told(to permissions: Permissions?) -> Problem { permissions == nil ? self : withoutHints }

  /// Of what is not there, without a word on what else there is.
  var withoutHints: Problem {
    if status != 404 { return self }
    var problem = self
    problem.detail = "There is nothing of this name here for you."
    return problem
  }

  /// The document, its members in the order of the contract; `type` is `{prefix}/problems/{code}`.
  func json(prefix: String = "") -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.member("type", "\(prefix)/problems/\(code.rawValue)")
    json.member("title", code.title)
    json.member("status", status)
    if !detail.isEmpty { json.member("detail", detail) }
    json.member("instance", instance)
    json.member("code", code.rawValue)
    json.member("origin", origin.rawValue)
    json.member("sent", sent)
    json.member("retryable", isRetryable)
    json.member("requestId", requestID)
    if let exception {
      json.key("exception")
      json.open("{")
      json.member("type", exception.type)
      if let arguments = exception.arguments {
        json.key("args")
        json.raw(arguments)
      }
      if let repr = exception.repr { json.member("repr", repr) }
      json.close("}")
    }
    if let pointer { json.member("pointer", pointer) }
    if let reason { json.member("reason", reason) }
    if let diagnosis {
      json.key("diagnosis")
      json.raw(diagnosis.json)
    }
    if let services {
      json.key("services")
      json.raw(services)
    }
    json.close("}")
    return json.bytes
  }

  /// The headers of the response besides its content type.
  var headers: [(name: StaticString, value: String)] {
    var headers: [(StaticString, String)] = [("Gateway-Error", code.rawValue)]
    if let retryAfter { headers.append(("Retry-After", "\(retryAfter)")) }
    if let allow { headers.append(("Allow", allow)) }
    for challenge in challenges { headers.append(("WWW-Authenticate", challenge)) }
    return headers
  }
}

/// An exception that a backend answered with, as a client may see it.
struct ShownException: Hashable, Sendable {
  /// The dotted name of the class, such as `builtins.ValueError`.
  var type: String
  /// Its arguments as a JSON array, already encoded; `nil` when they may not be shown.
  var arguments: [UInt8]?
  /// Its `repr`; `nil` when it may not be shown.
  var repr: String?

  /// What `exposure` leaves of it in an answer with that status. A caller can mend what is 4xx, if told what; the rest concerns
  /// the operator.
  func shown(_ exposure: Configuration.Exposure, status: Int) -> ShownException? {
    switch exposure {
    case .auto: shown(status < 500 ? .message : .class, status: status)
    case .full: self
    case .message: ShownException(type: type, arguments: arguments, repr: nil)
    case .class: ShownException(type: type, arguments: nil, repr: nil)
    case .none: nil
    }
  }
}
