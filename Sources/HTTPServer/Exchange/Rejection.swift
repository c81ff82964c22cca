/// Why the HTTP layer refuses a request before a handler may act on it.
public struct Rejection: Hashable, Sendable {
  /// A short name for the reason. Unknown ones stay comparable and printable.
  public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }
    /// The request breaks HTTP's grammar, or could be read in two ways. 400.
    public static let badRequest = Code(rawValue: "bad-request")
    /// The body took too long. 408.
    public static let requestTimeout = Code(rawValue: "request-timeout")
    /// The body is chunked, and such bodies are refused. 411.
    public static let lengthRequired = Code(rawValue: "length-required")
    /// The body is longer than allowed. 413.
    public static let bodyTooLarge = Code(rawValue: "body-too-large")
    /// The target is longer than allowed. 414.
    public static let targetTooLong = Code(rawValue: "uri-too-long")
    /// The body is compressed, which is not supported. 415.
    public static let unsupportedEncoding = Code(rawValue: "unsupported-encoding")
    /// The headers are longer or more than allowed. 431.
    public static let headersTooLarge = Code(rawValue: "headers-too-large")
    /// A transfer coding other than `chunked`. 501.
    public static let notImplemented = Code(rawValue: "not-implemented")
    /// More connections are open than allowed, or the memory for bodies is used up. 503.
    public static let overloaded = Code(rawValue: "overloaded")
    /// A version of HTTP other than 1.0 and 1.1. 505.
    public static let unsupportedVersion = Code(rawValue: "unsupported-version")
  }
  /// The reason.
  public let code: Code
  /// The HTTP status that fits.
  public let status: Int
  /// One sentence for the client.
  public let detail: String

  static func bad(_ detail: String) -> Rejection { .init(code: .badRequest, status: 400, detail: detail) }
  static func bodyTooLarge(_ limit: Int) -> Rejection {
    .init(code: .bodyTooLarge, status: 413, detail: "the body is longer than \(limit) bytes")
  }
  static func targetTooLong(_ limit: Int) -> Rejection {
    .init(code: .targetTooLong, status: 414, detail: "the request target is longer than \(limit) bytes")
  }
  static func headersTooLarge(_ limit: Int) -> Rejection {
    .init(code: .headersTooLarge, status: 431, detail: "the headers are longer than \(limit) bytes or too many")
  }
  static var timeout: Rejection {
    .init(code: .requestTimeout, status: 408, detail: "the body arrived too slowly")
  }
  static var lengthRequired: Rejection {
    .init(code: .lengthRequired, status: 411, detail: "chunked bodies are refused here: send a Content-Length")
  }
  static var encoding: Rejection {
    .init(code: .unsupportedEncoding, status: 415, detail: "compressed request bodies are not supported")
  }
  static var transferCoding: Rejection {
    .init(code: .notImplemented, status: 501, detail: "the only transfer coding supported is 'chunked'")
  }
  static var overloaded: Rejection {
    .init(code: .overloaded, status: 503, detail: "too many connections are open")
  }
  static var memory: Rejection {
    .init(
      code: .overloaded, status: 503,
      detail: "the memory for bodies, calls, answers and events is used up (http.limits.memory)")
  }
  static var version: Rejection {
    .init(code: .unsupportedVersion, status: 505, detail: "only HTTP/1.0 and HTTP/1.1 are supported")
  }

  /// What libmicrohttpd refuses by itself, before anything else has seen the request; nil for a status that blames no client.
  static func ofLibrary(status: Int, _ options: ServerOptions) -> Rejection? {
    switch status {
    case 400: .bad("the request breaks the rules of HTTP")
    // What is read of a body is counted here: the library counts what only frames it.
    case 413: .init(code: .bodyTooLarge, status: 413, detail: "the declared length or a line of a chunk is too long")
    case 414: .targetTooLong(options.targetLimit)
    case 431: .headersTooLarge(options.headersLimit)
    case 501: .transferCoding
    case 505: .version
    default: nil
    }
  }
}
