import GatewaySecurity
import HTTPServer

/// `/-/limits`: how much whoever asks may still ask for.
struct LimitsResponder: Responder {
  var methods: HTTPMethod.Set { .fetch }
  var isOperation: Bool { true }

  func begin(_ request: GatewayRequest) throws(Problem) { try request.checkAccept("application/json") }

  func respond(to request: GatewayRequest) throws(Problem) {
    guard request.rawQuery.isEmpty else { throw Problem(.unknownParameter, "This path takes no query.") }
    request.answer(
      200, "application/json", headers: [("Cache-Control", "no-store")], Self.json(request.allowance))
  }

  private static func json(_ allowance: Allowance?) -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    if let client = allowance?.quota.client {
      json.member("per", client.kind.rawValue)
      json.member("client", client.name)
    }
    if let rate = allowance?.limiter.rate, let level = allowance?.level {
      json.key("rate")
      json.open("{")
      json.member("quota", rate.burst)
      json.member("window", rate.window)
      json.member("remaining", level.remaining)
      json.member("reset", level.reset)
      json.close("}")
    }
    if let quota = allowance?.quota, let limit = allowance?.limiter.streams {
      json.key("streams")
      json.open("{")
      json.member("limit", limit)
      json.member("open", quota.openStreams)
      json.close("}")
    }
    json.close("}")
    return json.bytes
  }
}
