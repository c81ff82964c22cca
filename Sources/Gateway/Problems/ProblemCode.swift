/// What went wrong, as a stable word: the `code` of a problem document and the `Gateway-Error` header.
///
/// Two entries make a code: its case, and its row, which the compiler asks for.
enum ProblemCode: String, CaseIterable, Hashable, Sendable {
  case badJSON = "bad-json", badMessagePack = "bad-msgpack", badShape = "bad-shape"
  case invalidArgument = "invalid-argument", notEncodable = "not-encodable"
  case unsupportedMediaType = "unsupported-media-type", unsupportedEncoding = "unsupported-encoding"
  case notAcceptable = "not-acceptable", bodyTooLarge = "body-too-large", uriTooLong = "uri-too-long"
  case lengthRequired = "length-required"
  case headersTooLarge = "headers-too-large", requestTimeout = "request-timeout", noSuchService = "no-such-service"
  case notExposed = "not-exposed", methodNotAllowed = "method-not-allowed", notSafe = "not-safe", unauthenticated
  case permissionDenied = "permission-denied", rateLimited = "rate-limited", tooManyStreams = "too-many-streams"
  case tooManyTopics = "too-many-topics"
  case overloaded, noBackend = "no-backend", queueFull = "queue-full", queueTimeout = "queue-timeout"
  case breakerOpen = "breaker-open", draining, notReady = "not-ready", timeout, backendLost = "backend-lost"
  case badReply = "bad-reply", replyTooLarge = "reply-too-large", replyNotRepresentable = "reply-not-representable"
  case crossSite = "cross-site", misdirected, `internal`, remoteException = "remote-exception", noSuchMethod =
    "no-such-method"
  case nestedCall = "nested-call", noSuchRoute = "no-such-route", noSuchTopic = "no-such-topic"
  case badTarget = "bad-target", badQuery = "bad-query", unknownParameter = "unknown-parameter"
  case badTimeout = "bad-timeout", badRequest = "bad-request", notImplemented = "not-implemented"
  case unsupportedVersion = "unsupported-version", reloadFailed = "reload-failed"
  case callGone = "call-gone", badIdempotencyKey = "bad-idempotency-key"
  case idempotencyKeyInUse = "idempotency-key-in-use", idempotencyKeyReused = "idempotency-key-reused", undecided

  /// The status it is answered with unless the problem says otherwise.
  var status: Int { row.status }
  /// Its title: the same for every occurrence.
  var title: String { row.title }
  /// Whether the same request may succeed if simply sent again, and cannot run twice by that.
  var isRetryable: Bool { status == 503 || status == 429 || status == 408 || self == .idempotencyKeyInUse }

  private static let resend = "Send the same request again after the seconds in `Retry-After`."

  /// Status, title, meaning, remedy, and whether it ran.
  var row: Row {
    switch self {
    case .callGone: .callGone
    case .reloadFailed: .reloadFailed
    case .undecided: .undecided
    case .badIdempotencyKey: .badIdempotencyKey
    case .idempotencyKeyInUse: .idempotencyKeyInUse
    case .idempotencyKeyReused: .idempotencyKeyReused
    case .badJSON:
      Row(
        400, "The body is not valid JSON",
        "The body is not JSON, not UTF-8, or an object in it has a member twice.",
        "Mend the body; `detail` says where.")
    case .badMessagePack:
      Row(
        400, "The body is not valid MessagePack",
        "The body is not one well-formed MessagePack value, a string in it is not UTF-8, or a map in it has a key twice.",
        "Mend the body; `detail` says where it breaks.")
    case .badShape:
      Row(
        400, "The body does not have the shape that is wanted",
        "Arguments are an array (positional), an object (keyword), or an object of `args` and `kwargs`; a batch is an array of items.",
        "Wrap the value: `[value]` passes it as the only argument.")
    case .invalidArgument:
      Row(
        400, "The arguments do not fit the method",
        "Arguments are missing, too many, or not named or not of the types that the method takes.",
        "Compare the method's signature; `detail` says what is wrong. In a query, `a:=2` is a number.", ran: .refused)
    case .notEncodable:
      Row(
        422, "A value cannot travel to the service",
        "A value in the arguments cannot travel: an integer beyond 64 bits, an ext type, or too deep a nesting.",
        "Change the value at `pointer`, a JSON pointer into the body, or into the envelope that a query stands for.")
    case .unsupportedMediaType:
      Row(
        415, "The content type is not understood",
        "Bodies are JSON or MessagePack. A form, curl's default, is read as JSON unless a web page sent it.",
        "Set `Content-Type: application/json`, or `application/msgpack`.")
    case .unsupportedEncoding:
      Row(
        415, "The content encoding is not understood",
        "The body is compressed in a way not read here.",
        "Send it without Content-Encoding.")
    case .notAcceptable:
      Row(
        406, "No acceptable representation exists",
        "`Accept` rules out all that can be answered.",
        "Accept `application/json`; calls are answered in `application/msgpack` too.")
    case .lengthRequired:
      Row(
        411, "The length of the body is required",
        "The body is chunked. The gateway refuses such bodies, because it cannot trust their framing or is told not to.",
        "Send `Content-Length`. The operator may set `http.chunked`.")
    case .bodyTooLarge:
      Row(
        413, "The body is too large",
        "The body exceeds the gateway's limit.",
        "Send less, or raise `http.limits.body`.")
    case .uriTooLong:
      Row(
        414, "The request target is too long",
        "The request target exceeds the gateway's limit.",
        "Send arguments in the body of a POST.")
    case .headersTooLarge:
      Row(
        431, "The headers are too large",
        "The headers exceed the gateway's limit.",
        "Send fewer or shorter headers.")
    case .requestTimeout:
      Row(
        408, "The request took too long to arrive",
        "The request did not arrive in full in time.",
        "Send it again, faster.")
    case .noSuchService:
      Row(
        404, "No such service",
        "The gateway serves no service of this name.",
        "Check the name in the path.")
    case .notExposed:
      Row(
        404, "The method is not exposed",
        "The gateway does not pass on calls of this method.",
        "Check the name; the operator decides what is exposed.")
    case .methodNotAllowed:
      Row(
        405, "The verb is not allowed here",
        "The path does not take this verb.",
        "Use one of `Allow`.")
    case .notSafe:
      Row(
        405, "The method may not be called with GET",
        "Only methods declared safe are called with GET.",
        "Use POST.")
    case .unauthenticated:
      Row(
        401, "Credentials are missing or wrong",
        "No credentials, or wrong ones.",
        "Send the credentials `WWW-Authenticate` asks for.")
    case .permissionDenied:
      Row(
        403, "The credentials do not allow this",
        "These credentials do not reach this.",
        "Use others, or ask the operator.")
    case .rateLimited:
      Row(
        429, "Too many requests",
        "More requests than this client may send.",
        Self.resend)
    case .tooManyStreams:
      Row(
        429, "Too many streams",
        "More open streams than this client may have.",
        "Close one first. " + Self.resend)
    case .tooManyTopics:
      Row(
        503, "Too many topics",
        "With this stream, those of the service would ask for more different topics than it allows (503), or the stream names more"
          + " than one may (400).",
        "Ask for fewer, or for a prefix that covers them, or raise `topics-limit` (503) or `topics-per-stream` (400). A 503 may pass when"
          + " other streams close. " + Self.resend, ran: .notACall)
    case .overloaded:
      Row(
        503, "Calls, connections or memory are used up",
        "As many calls of the service are under way as `in-flight` allows, as many connections are open as `http.limits.connections`"
          + " allows, or `http.limits.memory` has no room left for this service. The detail says which.",
        Self.resend)
    case .noBackend:
      Row(
        503, "No backend is connected",
        "No backend of this service is connected at present. `reason` says why, where that is known.",
        Self.resend + " The operator finds the cause in the log and at `/ready?verbose`.")
    case .queueFull:
      Row(
        503, "The queue to the backend is full",
        "No connected backend takes more calls at present, and as many wait as `queue` allows.",
        Self.resend)
    case .queueTimeout:
      Row(
        503, "The deadline passed before the call was sent",
        "No backend took the call before its deadline.",
        Self.resend)
    case .breakerOpen:
      Row(
        503, "The backend is failing and is not called for now",
        "Calls to each connected backend failed in a row (`breaker.failures`): there was no reply, or the connection broke. They get no calls"
          + " for a while (`breaker.open`); then one is tried.",
        Self.resend)
    case .draining:
      Row(
        503, "The gateway is stopping",
        "The gateway is stopping.",
        Self.resend + " Another gateway will answer.")
    case .notReady:
      Row(
        503, "The gateway is not ready",
        "A service marked `required` has no connection on the thread that was asked, or the gateway is stopping.",
        "Ask again later. `services` in the problem document says which one it is, if asked with `?verbose`.",
        ran: .notACall)
    case .timeout:
      Row(
        504, "The backend did not answer in time",
        "The call was sent and no reply came before the deadline.",
        "See `diagnosis`. If the method is slow, allow more time with `Request-Timeout`, in seconds.", ran: .maybe)
    case .backendLost:
      Row(
        502, "The backend disconnected after the call was sent",
        "The backend's connection broke while the call was with it.",
        "See whether the call took effect, then decide.", ran: .maybe)
    case .badReply:
      Row(
        502, "The reply could not be decoded",
        "What the backend answered is no reply.",
        "Look at the backend: it does not speak the protocol.", ran: .answered)
    case .replyTooLarge:
      Row(
        502, "The reply is too large",
        "The reply exceeds the service's limit.",
        "Ask for less, or raise `reply-limit`.", ran: .answered)
    case .replyNotRepresentable:
      Row(
        502, "The reply cannot be shown as JSON",
        "The result holds something JSON has no form for.",
        "Ask for `application/msgpack`, or change the json options.", ran: .answered)
    case .crossSite:
      Row(
        403, "A foreign page sent the request",
        "A browser sent this for a page of another origin: `Origin` is not the origin of `Host`, or `Sec-Fetch-Site` is "
          + "neither `same-origin` nor `none`.",
        "Call from a page of the gateway's own origin or one of `http.cors.origins`, or without a browser. A proxy passes `Host` on."
      )
    case .misdirected:
      Row(
        421, "The host is not served here",
        "The host that the request names is not served here; on loopback, IP addresses and `localhost` are, and what "
          + "`http.hosts` lists.",
        "Ask for a host that is, or add this one to `http.hosts`.")
    case .internal:
      Row(
        500, "The gateway has a bug",
        "The gateway did something it should not.",
        "Report it, with `requestId`.", ran: .told)
    case .remoteException:
      Row(
        500, "The method raised an exception",
        "The method raised an exception; `exception` holds as much of it as the operator lets out.",
        "As the exception demands. The status follows its class.", ran: .raised)
    case .noSuchMethod:
      Row(
        404, "The service has no such method",
        "The backend answered that it has no method of this name.",
        "Check the name in the path.", ran: .unknownMethod)
    case .nestedCall:
      Row(
        502, "A call made by the method failed",
        "The method called another service, and that call failed in a way of its own.",
        "Look at the service behind the service.", ran: .raised)
    case .noSuchRoute:
      Row(
        404, "Nothing is served at this path",
        "Nothing is served at this path.",
        "Calls go to `/rpc/{service}/{method}`.")
    case .noSuchTopic:
      Row(
        404, "There is nothing of this topic",
        "The topic is outside what the service offers; or, of `/last`, no event of it is kept, or the service keeps none.",
        "Ask for a topic the operator lists; or wait for an event of it, on a stream.")
    case .badTarget:
      Row(
        400, "The request target is malformed",
        "The path or query holds bytes that must be escaped, a broken escape, or a dot segment.",
        "Percent-encode each path segment by itself.")
    case .badQuery:
      Row(
        400, "The query is malformed",
        "A query is `name=text`, `name:=json`, `arg=text` or `arg:=json`, each keyword once; the arguments of a route are of the types"
          + " that it asks for.",
        "Mend the query, or the path; `detail` says what is asked for.")
    case .unknownParameter:
      Row(
        400, "The parameter is unknown",
        "The query has a parameter that means nothing here: those that start with `_` steer the gateway, and only a GET has arguments there.",
        "Check its spelling, and send the arguments of a POST in its body.")
    case .badTimeout:
      Row(
        400, "The timeout is malformed",
        "A timeout is a number of seconds above zero.",
        "Write it like `2.5`, without a unit.")
    case .badRequest:
      Row(
        400, "The request is not valid HTTP, or can be read in two ways",
        "The request breaks the grammar of HTTP, or two readers could take it for two different requests.",
        "Mend the client or the proxy before the gateway; `detail` says what is wrong.")
    case .notImplemented:
      Row(
        501, "The transfer coding is not supported",
        "Bodies come with a length, or chunked.",
        "Use no other Transfer-Encoding.")
    case .unsupportedVersion:
      Row(
        505, "The version of HTTP is not supported",
        "Only HTTP/1.0 and HTTP/1.1 are spoken here.",
        "Use HTTP/1.1.")
    }
  }
}
