import HTTPServer
import Reactor
import Tracing
import ZeroMQRPC

/// What is noted of a request for those who look on: its line in the log, its trace, and `Server-Timing`. There is one for a connection, used
/// again for each request on it, where anybody looks on.
final class RequestNotes {
  /// Who looks on.
  struct Readers: Sendable {
    var log = false
    var tracer: (any Tracer)?
    var serverTiming = false

    /// Whether there is anybody.
    var isEmpty: Bool { !log && tracer == nil && !serverTiming }
  }

  private let readers: Readers
  private var pathBytes: [UInt8] = []
  private(set) var requestID = ""
  private(set) var method = HTTPMethod.other
  /// Where the request comes from, as far as proxies are believed, as text; nil when that is not known, or not told.
  private(set) var client: String?
  /// The same. Most requests of a connection come from the same place, whose text is made once.
  private var address: ClientAddress?
  /// Nil where requests are not traced, and for what tells of the gateway itself.
  private(set) var trace: RequestTrace?
  /// How long its call took, of several the one that took longest; nil when there was none, or no reply to one.
  private(set) var reply: ReplyTimes?
  /// How long its result took to be written.
  var encoding: Duration?
  /// How many calls have ended.
  private(set) var calls = 0

  /// More of a path is not told.
  private static let longestPath = 1_024

  init(_ readers: Readers) { self.readers = readers }

  /// Whether somebody is told how long a result took to be written.
  var timesEncoding: Bool { readers.serverTiming || readers.tracer != nil }

  /// The target without the query, which may hold what is secret.
  var path: String { String(decoding: pathBytes, as: UTF8.self) }

  /// The same; it may be no text.
  var rawPath: [UInt8] { pathBytes }

  /// A head has arrived.
  func begin(_ request: GatewayRequest) {
    let exchange = request.exchange
    method = exchange.method
    pathBytes.removeAll(keepingCapacity: true)
    let target = exchange.target
    var end = 0
    while end < min(target.count, Self.longestPath), target[end] != UInt8(ascii: "?") { end += 1 }
    pathBytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: target[..<end]))
    requestID = exchange.requestID
    let address = readers.log ? request.serving.checks.client(of: request) : nil
    if address != self.address {
      self.address = address
      client = address?.text
    }
    (trace, reply, encoding, calls) = (nil, nil, nil, 0)
  }

  /// The request is one that is traced.
  func beginTrace(_ request: GatewayRequest) {
    if trace == nil, let tracer = readers.tracer { trace = RequestTrace(request, tracer) }
  }

  /// A call has ended; nil when its times are not known.
  func add(_ times: ReplyTimes?) {
    calls += 1
    guard let times else { return }
    if let reply, reply.queued + reply.waited > times.queued + times.waited { return }
    reply = times
  }

  /// The headers of an answer by which pages of a browser learn how long its parts took (Server Timing, 2); nil when there are none.
  var serverTiming: [(StaticString, String)]? {
    guard readers.serverTiming, let reply else { return nil }
    var parts = ["queue;dur=\(Self.text(reply.queued))", "backend;dur=\(Self.text(reply.waited))"]
    if let returned = reply.returned { parts.append("return;dur=\(Self.text(returned))") }
    if let encoding { parts.append("encode;dur=\(Self.text(encoding))") }
    return [("Server-Timing", parts.joined(separator: ", "))]
  }

  /// Milliseconds with thousandths.
  private static func text(_ duration: Duration) -> String {
    let microseconds = max(0, duration.nanoseconds / 1_000)
    let part = "\(microseconds % 1_000)"
    return "\(microseconds / 1_000).\(String(repeating: "0", count: 3 - part.count))\(part)"
  }
}
