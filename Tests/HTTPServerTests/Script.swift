import HTTPServer

/// A handler that does what the target says, and remembers what happened.
///
/// `/echo` answers the body, `/target` the target, `/later` when the test says so, `/stream` with a stream the test feeds,
/// `/pieces` with one that ends by itself, `/early` in `begin`, `/long` with more than the kernel takes at once.
final class Script: RequestHandler {
  static let longText = String(repeating: "x", count: 20 << 20)

  private(set) var handled = 0
  private(set) var abandoned = 0
  private(set) var refusals: [Rejection.Code] = []
  private(set) var waiting: [Exchange] = []
  private(set) var streams: [Feed] = []
  private(set) var begun = 0

  func begin(_ exchange: Exchange) {
    begun += 1
    if exchange.target.elementsEqual("/early".utf8) { exchange.respond(403, text: "early") }
  }

  func handle(_ exchange: Exchange) {
    handled += 1
    let target = String(decoding: exchange.target, as: UTF8.self)
    switch target {
    case "/echo":
      exchange.respond(200, contentType: "text/plain", body: exchange.body)
    case "/long":
      exchange.respond(200, text: Self.longText)
    case "/later":
      waiting.append(exchange)
    case "/stream", "/pieces":
      let feed = Feed(exchange, endsByItself: target == "/pieces")
      streams.append(feed)
      exchange.respond(
        200, contentType: "text/event-stream", headers: [("Cache-Control", "no-store")], stream: feed)
    case "/who":
      exchange.respond(200, text: exchange.clientCertificate.map { $0.subject ?? "nameless" } ?? "nobody")
    case "/accept":
      let values = exchange.values(of: .accept).map { String(decoding: $0, as: UTF8.self) }
      exchange.respond(200, text: values.joined(separator: "|"))
    default:
      let asksForHost = exchange.header(.requestID)?.elementsEqual("host".utf8) == true
      let detail = asksForHost ? String(decoding: exchange.host ?? .init(start: nil, count: 0), as: UTF8.self) : nil
      exchange.respond(200, text: "\(target) \(detail ?? "\(exchange.body.count)")")
    }
  }

  func refused(_ exchange: Exchange, _ rejection: Rejection) {
    refusals.append(rejection.code)
    exchange.respond(rejection.status, text: rejection.code.rawValue)
  }

  func abandoned(_ exchange: Exchange) {
    abandoned += 1
    waiting.removeAll { $0 === exchange }
  }

  /// Lets go of all exchanges, which hold the server, which holds this.
  func clear() {
    waiting = []
    streams = []
  }

  /// Answers the calls that wait, the last first.
  func answerWaiting(_ text: String = "later") {
    while let exchange = waiting.popLast() { exchange.respond(200, text: text) }
  }
}

/// A stream of what the test puts into it.
final class Feed: BodyStream {
  let endsByItself: Bool
  private let exchange: Exchange
  private var pending: [UInt8] = []
  private var isEnded = false
  private(set) var reads = 0
  private(set) var closures = 0

  init(_ exchange: Exchange, endsByItself: Bool) {
    self.exchange = exchange
    self.endsByItself = endsByItself
  }

  func put(_ text: String) {
    pending += text.utf8
    exchange.wake()
  }

  func end() {
    isEnded = true
    exchange.wake()
  }

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    reads += 1
    if pending.isEmpty { return isEnded ? .end : .nothing }
    let count = min(pending.count, room.count)
    room.copyBytes(from: pending[..<count])
    pending.removeFirst(count)
    return .bytes(count)
  }

  func closed() { closures += 1 }
}

extension Exchange {
  func respond(_ status: Int, text: String) {
    var text = text
    text.withUTF8 { respond(status, contentType: "text/plain", body: UnsafeRawBufferPointer($0)) }
  }
}
