import CLinux
import Glibc
import Logging
import Reactor

/// A server for known-bad requests, to learn what of them the linked libmicrohttpd lets through. Its loop is turned by hand, on
/// the caller's thread.
final class ParserSelfTest {
  /// What has to be served.
  static let sound = [
    get("/a?b=c&d", "X: \t y\tz\r\nContent-Type:x\r\nAccept: */*\r\n"),
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    chunked("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    chunked("0\r\nX: y\r\n\r\n"),
  ]

  /// What a reader of addresses sees when the library does not refuse it.
  static let visible = [
    get("/", "X: a\r\n b\r\nY: c\r\n"), get("/", "X: a\r\n b\r\n"), get("/", "Transfer-Encoding : chunked\r\n"),
    get("/", "X: a\0b\r\n"), get("/", "Content-Length: 5\0 33\r\n"), get("/", "X: a\rb\r\n"), get("/a\0b"),
    get("/a b"), "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
  ]

  /// What only the library can refuse: these look like sound requests behind it.
  static let hidden = [
    // Ends of lines, and of the head, that are as long as CR LF.
    get("/", "X: a\0\nContent-Length: 5\r\n") + "12345",
    "GET / HTTP/1.1\r\nHost: a\r\n:\n" + get("/hidden"),
    // A line that begins with NUL taken for an empty one, before a request and among the trailers.
    "\0GET /a HTTP/1.1\r\n" + get("/hidden"),
    chunked("0\r\n\0: a\r\n" + get("/hidden")),
    // The lines of a chunked body ended by LF alone, or holding what no line may.
    chunked("3\nabc\r\n0\r\n\r\n"), chunked("3\r\nabc\n0\r\n\r\n"), chunked("3\r\nabc\r\n0\n\r\n"),
    chunked("3;a\nabc\r\n0\r\n\r\n"), chunked("3;a\0b\r\nabc\r\n0\r\n\r\n"), chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"),
    chunked("0\r\nX: y\n\r\n"), chunked("0\r\nX: y\r\n\n"),
  ]

  private static func get(_ target: String, _ more: String = "") -> String {
    "GET \(target) HTTP/1.1\r\nHost: a\r\n\(more)\r\n"
  }

  private static func chunked(_ body: String) -> String {
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
  }

  private let strictness: ParserStrictness
  private let loop: Loop
  private let server: Server

  init(_ strictness: ParserStrictness) throws(HTTPServerError) {
    self.strictness = strictness
    do throws(ReactorError) {
      loop = try Loop(clock: Instant.monotonic)
    } catch {
      throw HTTPServerError(call: error.call, message: error.description)
    }
    var options = ServerOptions()
    options.chunked = .accept
    server = try Server(
      Listener.open(.loopback(port: 0)), options: options, strictness: strictness, handler: AnsweringHandler(),
      on: loop,
      logger: Logger(label: "self-test") { _ in SwiftLogNoOpLogHandler() })
  }

  deinit { server.stop() }

  /// Whether the sound requests are served, and those refused that a server of this strictness must refuse.
  func isPassed() throws(HTTPServerError) -> Bool {
    for request in Self.sound where try !isServed(request) { return false }
    for request in Self.visible where try isServed(request) { return false }
    guard strictness == .strict else { return true }
    for request in Self.hidden where try isServed(request) { return false }
    return true
  }

  /// Sends the request, and turns the loop until there is an answer or the connection is closed. Whether the first thing that
  /// comes is a 200.
  func isServed(_ request: String) throws(HTTPServerError) -> Bool {
    let client = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard client >= 0 else { throw .last("socket") }
    defer { close(client) }
    guard server.address.withSocketAddress({ connect(client, $0, $1) }) == 0 else { throw .last("connect") }
    let bytes = Array(request.utf8)
    guard send(client, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else { throw .last("send") }
    let served = Array("HTTP/1.1 200 ".utf8)
    var answer = [UInt8](repeating: 0, count: served.count)
    let deadline = Instant.monotonic() + Self.patience
    while Instant.monotonic() < deadline {
      let count = recv(client, &answer, answer.count, CInt(MSG_DONTWAIT))
      if count >= 0 || clinux_errno() != EAGAIN { return answer == served }
      loop.turnOnce(sleepingAtMost: 10)
    }
    throw HTTPServerError(call: "libmicrohttpd", message: "the self-test got no answer within \(Self.patience)")
  }

  private static let patience = Duration.seconds(10)
}

/// Serves every request that reaches it.
private final class AnsweringHandler: RequestHandler {
  func handle(_ exchange: Exchange) {
    exchange.respond(200, contentType: "", body: UnsafeRawBufferPointer(start: nil, count: 0))
  }
  func refused(_ exchange: Exchange, _ rejection: Rejection) {}
  func abandoned(_ exchange: Exchange) {}
}
