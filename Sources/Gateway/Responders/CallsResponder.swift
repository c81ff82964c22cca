import HTTPServer
import MessagePack
import Reactor

/// `/calls/{id}`: what a call came to that was made with `Prefer: respond-async`.
///
/// 202 while it is under way; 200 with its status and its result or problem when it has ended, as often as one asks; 410 when there is
/// none of that id, or not any more.
struct CallsResponder: Responder {
  /// What the path says.
  let id: String

  var methods: HTTPMethod.Set { [.get, .head, .delete, .options] }
  var kind: RouteKind { .calls }

  func begin(_ request: GatewayRequest) throws(Problem) {
    if request.method != .delete { try request.checkAccept("application/json") }
  }

  func respond(to request: GatewayRequest) throws(Problem) {
    _ = try request.query(.nothing)
    guard let id = KeptCalls.ID(id) else { throw .callGone }
    if request.method == .delete {
      guard request.calls.kept.remove(id, of: request.caller?.subject) else { throw .callGone }
      return request.answer(204, "", UnsafeRawBufferPointer(start: nil, count: 0))
    }
    switch request.calls.kept.find(id, of: request.caller?.subject) {
    case .underWay?: request.answer(underWay: id)
    case .ended(let outcome)?:
      let answer = BatchAnswer(outcome, id: Array("\"\(id.text)\"".utf8))
      guard request.memory.hasRoom(for: answer.count) else { throw .noMemoryNow }
      var json = ByteBuffer(capacity: answer.count)
      answer.write(to: &json)
      let body = KeptBytes(json, in: request.memory)
      request.answer(200, "application/json", headers: [Self.private], body.bytes, keptBy: body)
    case nil: throw .callGone
    }
  }

  /// No cache may keep what comes under an id that only one client knows.
  fileprivate static let `private`: (StaticString, String) = ("Cache-Control", "no-store")
}

extension GatewayRequest {
  /// Answers that a call was begun, and where it is found.
  func answer(started id: KeptCalls.ID, headers: [(StaticString, String)] = []) {
    answer(
      underWay: id,
      headers: headers + [
        ("Location", "\(occurrence.prefix)/calls/\(id.text)"), ("Preference-Applied", "respond-async"),
      ])
  }

  /// Answers that a call goes on.
  fileprivate func answer(underWay id: KeptCalls.ID, headers: [(StaticString, String)] = []) {
    let body = Array(#"{"id":"\#(id.text)","status":202}"#.utf8)
    body.withUnsafeBytes {
      answer(202, "application/json", headers: headers + [("Retry-After", "1"), CallsResponder.private], $0)
    }
  }
}
