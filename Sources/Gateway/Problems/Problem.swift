/// An error as the client sees it: a problem document (RFC 9457) and the headers that go with it.
struct Problem: Error, Hashable, Sendable {
  /// Whose error it is.
  enum Origin: String, Hashable, Sendable {
    case gateway, backend
  }

  /// What went wrong, as a stable word.
  var code: ProblemCode
  /// The status of the response (default: the code's).
  var status: Int
  /// This occurrence, in a sentence; empty for none.
  var detail: String
  /// The path of the request.
  var instance: String
  /// Whose error it is (default: the gateway's).
  var origin = Origin.gateway
  /// Whether the call left the gateway, and so may have run (default: no).
  var sent = false
  /// Whether simply sending it again may help and cannot run it twice (default: the code's).
  var isRetryable: Bool
  /// Names the request in logs.
  var requestID: String
  /// When to try again, in seconds (default: 1 for 503 and 429, else none).
  var retryAfter: Int?
  /// The verbs allowed here, for 405.
  var allow: String?
  /// The remote exception, as much of it as may be shown.
  var exception: RemoteException?
  /// A JSON pointer (RFC 6901) to the value at fault.
  var pointer: String?

  init(_ code: ProblemCode, detail: String = "", instance: String = "", requestID: String = "") {
    self.code = code
    self.status = code.status
    self.detail = detail
    self.instance = instance
    self.isRetryable = code.isRetryable
    self.requestID = requestID
    self.retryAfter = code.status == 503 || code.status == 429 ? 1 : nil
  }
}

/// An exception that a backend answered with.
struct RemoteException: Hashable, Sendable {
  /// The dotted name of the class, such as `builtins.ValueError`.
  var type: String
  /// Its arguments as a JSON array, already encoded; `nil` when they may not be shown.
  var arguments: [UInt8]?
  /// Its `repr`; `nil` when it may not be shown.
  var repr: String?
}
