extension Problem {
  /// The media type of `json`.
  static let contentType = "application/problem+json"

  /// The document, its members in the order of the contract; `type` is `{prefix}/problems/{code}`.
  func json(prefix: String = "") -> [UInt8] {
    var json = JSONText()
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
struct JSONText {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(ascii: bracket))
    needsComma = true
  }

  mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func member(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: String, _ value: Int) {
    key(name)
    raw("\(value)".utf8)
  }

  mutating func member(_ name: String, _ value: Bool) {
    key(name)
    raw((value ? "true" : "false").utf8)
  }

  /// A value that is JSON already.
  mutating func raw(_ json: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
    needsComma = true
  }

  mutating func string(_ text: String) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5C: bytes += [0x5C, byte]
      case 0x0A: bytes += "\\n".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0x09: bytes += "\\t".utf8
      case 0..<0x20: bytes += [0x5C, 0x75, 0x30, 0x30, Self.digit(byte >> 4), Self.digit(byte & 0xF)]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
