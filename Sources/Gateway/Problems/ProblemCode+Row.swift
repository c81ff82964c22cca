extension ProblemCode {
  /// What is known of a code.
  struct Row {
    let status: Int
    let title: String
    /// What the code says, in a sentence or two.
    let meaning: String
    /// What a caller does about it.
    let remedy: String
    /// Whether the call may have run.
    let ran: Ran

    init(_ status: Int, _ title: String, _ meaning: String, _ remedy: String, ran: Ran = .no) {
      self.status = status
      self.title = title
      self.meaning = meaning
      self.remedy = remedy
      self.ran = ran
    }
  }

  /// Whether a call that ended so may have run.
  enum Ran: String {
    case no = "No: the call never left the gateway."
    case refused = "No: the arguments were refused before the method began, by the backend if `sent` is true."
    case unknownMethod = "No: the backend has no such method. `sent` is true all the same."
    case maybe =
      "Perhaps: the call was sent, and nothing tells how far it came. Send it again only if running it twice is safe."
    case told = "Perhaps: `sent` in the problem document tells whether the call left the gateway."
    case answered = "Yes: the method ended and answered. Sending the call again runs it again."
    case raised = "Yes, until it raised the exception."
    case notACall = "Nothing was to run: this is not a call."
  }
}

/// What those who look after the gateway are told.
extension ProblemCode.Row {
  static let reloadFailed = ProblemCode.Row(
    500, "The configuration cannot be served",
    "`POST /-/reload`: what was read is not valid, or cannot be opened. What was served before is served still.",
    "Mend what `detail` names, try it with `zmq-gateway check`, and reload again.", ran: .notACall)
}

/// What requests that are remembered are told.
extension ProblemCode.Row {
  static let callGone = ProblemCode.Row(
    410, "No such call is kept",
    "No call of this id is kept: it ended longer ago than `async.keep`, it was deleted, or the gateway was restarted since.",
    "Nothing brings the outcome back. Call again if running the method twice is safe.", ran: .notACall)
  static let badIdempotencyKey = ProblemCode.Row(
    400, "The idempotency key is malformed",
    "`Idempotency-Key` is no text of 1 to 255 visible characters of ASCII, with quotes around it or without.",
    "Send a fresh UUID for each operation, and the same one when you repeat it.")
  static let idempotencyKeyInUse = ProblemCode.Row(
    409, "The first request with this idempotency key is under way",
    "A request with this key runs already; this one did not run.",
    "Send the same request again after the seconds in `Retry-After`: it gets the answer of the first.")
  static let idempotencyKeyReused = ProblemCode.Row(
    422, "The idempotency key belongs to another request",
    "The key was used at this path with another body or query.",
    "Use a fresh key for each operation.")
}

/// What callers are told of whom a service decides.
extension ProblemCode.Row {
  static let undecided = ProblemCode.Row(
    503, "It cannot be decided whether this is allowed",
    "The service that decides what callers may do (`auth.decision`) is not there, does not answer in time, or answers something else.",
    "Send the same request again after the seconds in `Retry-After`. The log of the gateway says what is wrong.")
}
