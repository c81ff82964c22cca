import GatewayTracing
import HTTPServer
import MessagePack
import ZeroMQ
import ZeroMQRPC

/// What the log tells of a request.
struct AccessLine {
  /// Writes the line of the request, which has ended so.
  static func write(
    _ request: GatewayRequest, _ notes: RequestNotes, _ end: GatewayRequest.End, after total: Duration, isSlow: Bool,
    to line: inout LogLine
  ) {
    line.text(.id, notes.requestID)
    line.plain(.method, notes.method == .other ? "other" : notes.method.name)
    line.bytes(.path, notes.rawPath)
    line.plain(.route, (request.knownResponder?.kind ?? .none).label)
    switch end {
    case .answered(let status): line.number(.status, status)
    case .refused(let problem):
      line.number(.status, problem.status)
      line.plain(.code, problem.code.rawValue)
    case .abandoned: line.flag(.abandoned)
    }
    line.number(.in, request.bytesIn)
    line.number(.out, request.bytesOut)
    if let client = notes.client { line.plain(.client, client) }
    if let subject = request.caller?.subject, !subject.isEmpty { line.text(.subject, subject) }
    line.milliseconds(.total, total)
    if notes.calls > 1 { line.number(.calls, notes.calls) }
    if let reply = notes.reply {
      line.milliseconds(.queue, reply.queued)
      line.milliseconds(.backend, reply.waited)
      if let endpoint = reply.endpoint { line.text(.endpoint, endpoint.description) }
    }
    if let place = notes.trace?.place { line.text(.trace, place.traceID) }
    if isSlow { line.flag(.slow) }
  }
}
