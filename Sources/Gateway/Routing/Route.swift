/// What a path asks for.
enum Route: Hashable, Sendable {
  /// `/rpc/{service}/{method}`
  case rpc(service: String, method: String)
  /// `/push/{service}/{method}`
  case push(service: String, method: String)
  /// `/pub/{service}/{topic}/{method}`
  case pub(service: String, topic: [UInt8], method: String)
  /// `/sub/{service}`
  case sub(service: String)
  /// `/live`
  case live
  /// `/openapi.json`
  case openAPIJSON
  /// `/openapi.yaml`
  case openAPIYAML
  /// `/problems/{code}`
  case problem(code: String)
}
