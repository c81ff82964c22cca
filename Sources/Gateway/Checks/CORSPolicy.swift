import HTTPServer

/// What browsers are told of pages of other origins (Fetch, "CORS protocol"): which may send what, and read the answers.
///
/// All of it is made at the start, but for origins below a name. An origin is named in an answer only where the configuration lists it; with credentials, only where
/// it lists it in full.
struct CORSPolicy {
  /// What pages may send beyond what browsers let all of them.
  private static let allowed = [
    "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "Prefer", "Request-Timeout",
    "X-Request-Id", "traceparent",
  ].joined(separator: ", ")
  /// What pages may read of an answer beyond what browsers let all of them.
  private static let exposed = [
    "Age", "Allow", "ETag", "Gateway-Error", "Idempotency-Replayed", "Last-Event-ID", "Location", "Preference-Applied",
    "RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "Stream-Resumed-From", "WWW-Authenticate",
    "X-Request-Id",
  ].joined(separator: ", ")
  /// A cache has to keep the answers to different origins apart, those to none included.
  private static let vary: (StaticString, String) = ("Vary", "Origin")

  /// For origins listed in full, in the order of the configuration.
  private let listed: [(origin: [UInt8], headers: StandingHeaders)]
  private let patterns: [OriginPattern]
  /// Whether pages of those may have sent along what browsers keep.
  private let allowsCredentials: Bool
  private let ofAny: StandingHeaders
  private let ofOthers = StandingHeaders(isShared: false, [Self.vary])
  /// What a preflight is answered with besides the methods.
  let preflightHeaders: [(StaticString, String)]

  /// Nil when no origin is listed.
  init?(_ configuration: Configuration.CORS) {
    guard !configuration.origins.isEmpty else { return nil }
    allowsCredentials = configuration.allowsCredentials
    ofAny = Self.headers(naming: "*", withCredentials: false)
    patterns = configuration.origins.filter { !$0.isOne }
    listed = configuration.origins.filter(\.isOne).map {
      (Array($0.text.utf8), Self.headers(naming: $0.text, withCredentials: configuration.allowsCredentials))
    }
    preflightHeaders = [
      ("Access-Control-Allow-Methods", HTTPMethod.Set(HTTPMethod.allCases).allow),
      ("Access-Control-Allow-Headers", Self.allowed),
      ("Access-Control-Max-Age", "\(configuration.maxAge.components.seconds)"),
    ]
  }

  private static func headers(naming origin: String, withCredentials: Bool) -> StandingHeaders {
    let credentials: [(StaticString, String)] =
      withCredentials ? [("Access-Control-Allow-Credentials", "true")] : []
    return StandingHeaders(
      isShared: true,
      [vary, ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", exposed)] + credentials)
  }

  /// Says what every answer to the request has, and whether a page asks that may.
  func receive(_ request: GatewayRequest) {
    guard let origin = request.header(.origin), request.exchange.count(of: .origin) == 1,
      let headers = headers(for: origin)
    else { return request.exchange.standingHeaders = ofOthers }
    request.exchange.standingHeaders = headers.standing
    request.comesFromListedOrigin(withCredentials: headers.withCredentials)
  }

  private func headers(
    for origin: UnsafeRawBufferPointer
  ) -> (standing: StandingHeaders, withCredentials: Bool)? {
    for (text, headers) in listed where origin.count == text.count && origin.elementsEqual(text) {
      return (headers, allowsCredentials)
    }
    for pattern in patterns where pattern.matches(origin) {
      if pattern.isAny { return (ofAny, false) }
      let name = String(decoding: origin, as: UTF8.self)
      return (Self.headers(naming: name, withCredentials: false), false)
    }
    return nil
  }
}
