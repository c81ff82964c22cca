import MessagePack

extension Problem {
  /// The media type of `json`.
  static let contentType: StaticString = "application/problem+json"

  /// The document, its members in the order of the contract; `type` is `{prefix}/problems/{code}`.
  func json(prefix: String = "") -> [UInt8] {
    var json = JSONWriter()
    json.open("{")
    json.member("type", "\(prefix)/problems/\(code.rawValue)")
    json.member("title", code.title)
    json.member("status", status)
    if !detail.isEmpty { json.member("detail", detail) }
    json.member("instance", instance)
    json.member("code", code.rawValue)
    json.member("origin", origin.rawValue)
    json.member("sent", sent)
    json.member("retryable", isRetryable)
    json.member("requestId", requestID)
    if let exception {
      json.key("exception")
      json.open("{")
      json.member("type", exception.type)
      if let arguments = exception.arguments {
        json.key("args")
        json.raw(arguments)
      }
      if let repr = exception.repr { json.member("repr", repr) }
      json.close("}")
    }
    if let pointer { json.member("pointer", pointer) }
    json.close("}")
    return json.bytes
  }

  /// The headers of the response besides its content type.
  var headers: [(name: StaticString, value: String)] {
    var headers: [(StaticString, String)] = [("Gateway-Error", code.rawValue)]
    if let retryAfter { headers.append(("Retry-After", "\(retryAfter)")) }
    if let allow { headers.append(("Allow", allow)) }
    return headers
  }
}

/// JSON written by hand, member after member.
struct JSONWriter: ~Copyable {
  private var buffer = ByteBuffer()
  private var needsComma = false

  /// What has been written.
  var bytes: [UInt8] { buffer.withUnsafeBytes { Array($0) } }

  mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    buffer.append(UInt8(ascii: bracket))
    needsComma = false
  }

  mutating func close(_ bracket: Unicode.Scalar) {
    buffer.append(UInt8(ascii: bracket))
    needsComma = true
  }

  mutating func key(_ name: String) {
    string(name)
    buffer.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: Int) {
    key(name)
    raw("\(value)")
  }

  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    raw(value ? "true" : "false")
  }

  /// A value that is JSON already.
  mutating func raw(_ json: String) {
    separate()
    buffer.append(utf8: json)
  }

  /// A value that is JSON already.
  mutating func raw(_ json: [UInt8]) {
    separate()
    json.withUnsafeBytes { buffer.append($0) }
  }

  mutating func string(_ text: String) {
    separate()
    buffer.appendJSONString(text)
  }

  private mutating func separate() {
    if needsComma { buffer.append(UInt8(ascii: ",")) }
    needsComma = true
  }
}
