/// Why a request goes no further: the part of a problem that its target and verb decide.
struct Refusal: Error, Hashable, Sendable {
  let code: ProblemCode
  let detail: String
  /// The verbs that would do, for 405.
  let allow: String?

  init(_ code: ProblemCode, _ detail: String, allow: String? = nil) {
    self.code = code
    self.detail = detail
    self.allow = allow
  }
}

extension Problem {
  init(_ refusal: Refusal, instance: String = "", requestID: String = "") {
    self.init(refusal.code, detail: refusal.detail, instance: instance, requestID: requestID)
    allow = refusal.allow
  }
}
