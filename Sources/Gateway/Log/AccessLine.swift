import HTTPServer
import MessagePack
import ZeroMQ
import ZeroMQRPC

/// What the log tells of a request. There is one for a connection, used again for each request on it, where requests are told of.
final class AccessLine {
  private var method = HTTPMethod.other
  private var path: [UInt8] = []
  private var requestID = ""
  /// What is known of the reply to its call, if it made one.
  var reply: ReplyTimes?

  /// More of a path is not told.
  private static let longestPath = 1_024

  /// A head has arrived. The query is not told: it may hold what is secret.
  func begin(_ exchange: Exchange) {
    method = exchange.method
    path.removeAll(keepingCapacity: true)
    path.append(contentsOf: exchange.target.prefix(Self.longestPath).prefix { $0 != UInt8(ascii: "?") })
    requestID = exchange.requestID
    reply = nil
  }

  /// Writes the line of the request, which has ended so.
  func write(
    _ request: GatewayRequest, _ end: GatewayRequest.End, after total: Duration, isSlow: Bool, to line: inout LogLine
  ) {
    line.text("id", requestID)
    line.text("method", method == .other ? "other" : method.name.description)
    line.bytes("path", path)
    line.text("route", (request.knownResponder?.kind ?? .none).label)
    switch end {
    case .answered(let status): line.number("status", status)
    case .refused(let problem):
      line.number("status", problem.status)
      line.text("code", problem.code.rawValue)
    case .abandoned: line.flag("abandoned")
    }
    line.number("in", request.bytesIn)
    line.number("out", request.bytesOut)
    if let subject = request.caller?.subject, !subject.isEmpty { line.text("subject", subject) }
    line.milliseconds("total", total)
    if let reply {
      line.milliseconds("queue", reply.queued)
      line.milliseconds("backend", reply.waited)
      if let endpoint = reply.endpoint { line.text("endpoint", endpoint.description) }
    }
    if isSlow { line.flag("slow") }
  }
}
