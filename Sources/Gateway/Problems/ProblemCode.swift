/// What went wrong, as a stable word: the `code` of a problem document and the `Gateway-Error` header.
///
/// Open: a code that is not listed here is comparable and printable, and answers 500.
struct ProblemCode: RawRepresentable, Hashable, Sendable {
  /// The word, such as `no-such-service`.
  let rawValue: String
  /// The status it is answered with unless the problem says otherwise.
  let status: Int
  /// Its title: the same for every occurrence.
  let title: String

  init(rawValue: String) { self = Self.byName[rawValue] ?? .init(rawValue, 500, rawValue) }

  private init(_ rawValue: String, _ status: Int, _ title: String) {
    self.rawValue = rawValue
    self.status = status
    self.title = title
  }

  static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }
  func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

  /// Whether the same request may succeed if simply sent again, and cannot run twice by that.
  var isRetryable: Bool { status == 503 || status == 429 || status == 408 }
}

extension ProblemCode {
  static let badJSON = Self("bad-json", 400, "The body is not valid JSON")
  static let badMessagePack = Self("bad-msgpack", 400, "The body is not valid MessagePack")
  static let badShape = Self("bad-shape", 400, "The body is neither an array nor an object of arguments")
  static let invalidArgument = Self("invalid-argument", 400, "The arguments do not fit the method")
  static let notEncodable = Self("not-encodable", 422, "A value cannot travel to the service")
  static let unsupportedMediaType = Self("unsupported-media-type", 415, "The content type is not understood")
  static let unsupportedEncoding = Self("unsupported-encoding", 415, "The content encoding is not understood")
  static let notAcceptable = Self("not-acceptable", 406, "No acceptable representation exists")
  static let bodyTooLarge = Self("body-too-large", 413, "The body is too large")
  static let uriTooLong = Self("uri-too-long", 414, "The request target is too long")
  static let headersTooLarge = Self("headers-too-large", 431, "The headers are too large")
  static let requestTimeout = Self("request-timeout", 408, "The request took too long to arrive")
  static let noSuchService = Self("no-such-service", 404, "No such service")
  static let notExposed = Self("not-exposed", 404, "The method is not exposed")
  static let methodNotAllowed = Self("method-not-allowed", 405, "The verb is not allowed here")
  static let notSafe = Self("not-safe", 405, "The method may not be called with GET")
  static let unauthenticated = Self("unauthenticated", 401, "Credentials are missing or wrong")
  static let permissionDenied = Self("permission-denied", 403, "The credentials do not allow this")
  static let rateLimited = Self("rate-limited", 429, "Too many requests")
  static let tooManyStreams = Self("too-many-streams", 429, "Too many streams")
  static let tooManyTopics = Self("too-many-topics", 503, "Too many topics")
  static let overloaded = Self("overloaded", 503, "Too many calls are in flight")
  static let noBackend = Self("no-backend", 503, "No backend is connected")
  static let queueFull = Self("queue-full", 503, "The queue to the backend is full")
  static let queueTimeout = Self("queue-timeout", 503, "The deadline passed before the call was sent")
  static let breakerOpen = Self("breaker-open", 503, "The backend is failing and is not called for now")
  static let draining = Self("draining", 503, "The gateway is stopping")
  static let timeout = Self("timeout", 504, "The backend did not answer in time")
  static let backendLost = Self("backend-lost", 502, "The backend disconnected after the call was sent")
  static let badReply = Self("bad-reply", 502, "The reply could not be decoded")
  static let replyTooLarge = Self("reply-too-large", 502, "The reply is too large")
  static let replyNotRepresentable = Self("reply-not-representable", 502, "The reply cannot be shown as JSON")
  static let misdirected = Self("misdirected", 421, "The host is not served here")
  static let `internal` = Self("internal", 500, "The gateway has a bug")
}

extension ProblemCode {
  /// An exception of the remote method; the status depends on its class.
  static let remoteException = Self("remote-exception", 500, "The method raised an exception")
  static let noSuchMethod = Self("no-such-method", 404, "The service has no such method")
  static let nestedCall = Self("nested-call", 502, "A call made by the method failed")
}

/// Codes the table of the contract leaves open.
extension ProblemCode {
  static let noSuchRoute = Self("no-such-route", 404, "Nothing is served at this path")
  static let noSuchTopic = Self("no-such-topic", 404, "The service does not offer this topic")
  static let badTarget = Self("bad-target", 400, "The request target is malformed")
  static let badQuery = Self("bad-query", 400, "The query is malformed")
  static let unknownParameter = Self("unknown-parameter", 400, "The control parameter is unknown")
  static let badTimeout = Self("bad-timeout", 400, "The timeout is malformed")
  static let badRequest = Self("bad-request", 400, "The request is not valid HTTP, or can be read in two ways")
  static let notImplemented = Self("not-implemented", 501, "The transfer coding is not supported")
  static let unsupportedVersion = Self("unsupported-version", 505, "The version of HTTP is not supported")
}

extension ProblemCode {
  /// Every listed code, in the order of the contract.
  static let all: [ProblemCode] = [
    .badJSON, .badMessagePack, .badShape, .invalidArgument, .notEncodable, .unsupportedMediaType,
    .unsupportedEncoding, .notAcceptable, .bodyTooLarge, .uriTooLong, .headersTooLarge, .requestTimeout,
    .noSuchService, .notExposed, .methodNotAllowed, .notSafe, .unauthenticated, .permissionDenied, .rateLimited,
    .tooManyStreams, .tooManyTopics, .overloaded, .noBackend, .queueFull, .queueTimeout, .breakerOpen, .draining,
    .timeout,
    .backendLost, .badReply, .replyTooLarge, .replyNotRepresentable, .misdirected, .internal, .remoteException,
    .noSuchMethod, .nestedCall, .noSuchRoute, .noSuchTopic, .badTarget, .badQuery, .unknownParameter, .badTimeout,
    .badRequest, .notImplemented, .unsupportedVersion,
  ]

  private static let byName = [String: ProblemCode](uniqueKeysWithValues: all.map { ($0.rawValue, $0) })
}
