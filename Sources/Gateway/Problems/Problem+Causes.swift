import HTTPServer
import MessagePack
import Reactor
import ZeroMQ
import ZeroMQRPC

/// What the layers below report, as what a client is told of it. Each of their codes has its place here; one that does not
/// is a bug of the gateway, and is called that.
extension Problem {
  /// The HTTP layer refuses a request.
  init(_ rejection: Rejection) {
    let code: ProblemCode
    switch rejection.code {
    case .badRequest: code = .badRequest
    case .requestTimeout: code = .requestTimeout
    case .lengthRequired: code = .lengthRequired
    case .bodyTooLarge: code = .bodyTooLarge
    case .targetTooLong: code = .uriTooLong
    case .unsupportedEncoding: code = .unsupportedEncoding
    case .headersTooLarge: code = .headersTooLarge
    case .notImplemented: code = .notImplemented
    case .overloaded: code = .overloaded
    case .unsupportedVersion: code = .unsupportedVersion
    default:
      self.init(
        .internal, "The request was refused for a reason without a code: \(rejection.code), \(rejection.detail)")
      return
    }
    self.init(code, rejection.detail)
    status = rejection.status
  }

  private static let memoryFull =
    "The memory for bodies, calls, answers and events is used up, or this service's part of it; http.limits.memory says how much"
    + " there is."

  /// There is no memory for what would be shown now; it is there still.
  static let noMemoryNow = Problem(.overloaded, memoryFull + " Ask again.")

  /// So many calls are kept that no other may be.
  static func tooManyKept(_ limit: Int) -> Problem {
    Problem(
      .overloaded,
      "\(limit) calls made with Prefer: respond-async are kept (async.calls), ended ones for async.keep. The call was not sent."
    )
  }

  static let callGone = Problem(.callGone, "No call of this id is kept here, or not any more.")

  /// So many keys are kept that no other may be.
  static func tooManyKeys(_ limit: Int) -> Problem {
    Problem(
      .overloaded, "\(limit) idempotency keys are kept (idempotency.keys), each for idempotency.keep. Nothing was sent."
    )
  }

  static let badKey = Problem(
    .badIdempotencyKey,
    "An Idempotency-Key is 1 to 255 visible characters of ASCII, such as a UUID, in quotes or without.")

  static let keyReused = Problem(
    .idempotencyKeyReused, "This Idempotency-Key was used here with another body or query; use a fresh one.")

  /// The first request with the key is under way.
  static let keyInUse: Problem = {
    var problem = Problem(.idempotencyKeyInUse, "The first request with this Idempotency-Key is under way.")
    // Once that has ended, this one gets its answer.
    problem.retryAfter = 1
    return problem
  }()

  /// The reply came, and there is no memory to keep the answer until the client has read it.
  static func noMemory(forAnswer bytes: Int) -> Problem {
    var problem = Problem(.replyTooLarge, "The answer of \(bytes) bytes cannot be kept for you. \(memoryFull)")
    problem.sent = true
    return problem
  }

  /// The reply came, and the deadline passed before the answer was made of it.
  static var replyTakesTooLong: Problem {
    var problem = Problem(
      .timeout, "The reply came, but it is so long that the deadline passed while it was turned into JSON.")
    problem.sent = true
    return problem
  }

  /// A backend was silent until the deadline.
  init(_ silence: Silence, calling method: MethodName, at upstream: RPCUpstream) {
    let diagnosis = Diagnosis(silence, p95: upstream.percentile95(of: method))
    self.init(CallFailure(.timeout, sent: true))
    detail += diagnosis.words
    self.diagnosis = diagnosis
  }

  /// A call has no reply.
  init(_ failure: CallFailure) {
    switch failure.code {
    case .noBackend: self.init(.noBackend, "No backend of this service is connected. The call was not sent.")
    case .overloaded:
      self.init(.overloaded, "As many calls as this service allows are under way. The call was not sent.")
    case .memoryFull: self.init(.overloaded, Self.memoryFull + " The call was not sent.")
    case .queueFull:
      self.init(
        .queueFull,
        "No connected backend of this service takes more calls, and no more may wait. The call was not sent.")
    case .breakerOpen:
      self.init(
        .breakerOpen,
        "Calls to the backends of this service failed again and again, so they get none for a while. The call was not sent."
      )
      retryAfter = failure.retryAfter.map { max(1, Int($0.millisecondsRoundedUp + 999) / 1_000) }
    case .queueTimeout:
      self.init(.queueTimeout, "The deadline passed before a backend had room. The call was not sent.")
    case .timeout:
      self.init(.timeout, "The backend did not answer before the deadline. The method may have run, or run still.")
    case .backendLost:
      self.init(.backendLost, "The backend disconnected after the call was sent. The method may have run.")
    case .badReply: self.init(.badReply, "The backend's reply is not that of an aiozmq service.")
    case .replyTooLarge: self.init(.replyTooLarge, "The backend's reply is longer than this service's reply-limit.")
    // 503 would say that it was never sent.
    case .closed where failure.sent:
      self.init(.timeout, "The gateway stopped before the reply came. The method may have run, or run still.")
    case .closed:
      self.init(.draining, "The gateway stopped before a backend had room. The call was not sent.")
    default: self.init(.internal, "The call failed for a reason without a code: \(failure.code.rawValue)")
    }
    sent = failure.sent
    reason = failure.reason?.rawValue
  }

  /// The service does not offer a topic.
  static func topicNotOffered(_ topic: [UInt8]) -> Problem {
    Problem(.noSuchTopic, "\"\(String(decoding: topic, as: UTF8.self))\" is not among the topics of this service.")
  }

  /// All streams of a service would ask for more topics than it allows together.
  static func tooManyTopics(_ limit: Int) -> Problem {
    Problem(
      .tooManyTopics,
      "With this stream, those of the service would ask for more different topics than the \(limit) it allows.")
  }

  /// A client's document cannot be turned into arguments.
  init(arguments error: TranscodingError) {
    let code: ProblemCode =
      switch error.code {
      case .badJSON: .badJSON
      case .badShape: .badShape
      case .badMessagePack: .badMessagePack
      default: .notEncodable
      }
    self.init(code, error.message + (error.code == .badJSON ? " (byte \(error.offset))" : ""))
    pointer = error.pointer
  }

  /// A backend's reply is not MessagePack, or cannot be shown.
  init(reply error: TranscodingError) {
    let code: ProblemCode =
      switch error.code {
      case .badMessagePack: .badReply
      case .tooManyElements: .replyTooLarge
      default: .replyNotRepresentable
      }
    self.init(code, "The backend's reply cannot be passed on: \(error.message)")
    sent = true
    pointer = error.pointer
  }
}
