import FoundationEssentials

/// What the `Authorization` header of a request holds (RFC 9110, 11.4).
package enum Credentials {
  /// A key (RFC 6750). The bytes are those of the header.
  case bearer(UnsafeRawBufferPointer)
  /// A name and a password (RFC 7617), as curl sends them with `-u`.
  case basic(name: String, password: [UInt8])

  /// Reads the header; nil when it is of another scheme, or malformed.
  package init?(_ header: UnsafeRawBufferPointer) {
    let scheme = header.prefix { $0 != Self.blank }
    let rest = header[scheme.endIndex...].drop { $0 == Self.blank }
    if Self.isCaseless(scheme, "bearer"), !rest.isEmpty, rest.allSatisfy(Self.isTokenByte) {
      self = .bearer(UnsafeRawBufferPointer(rebasing: rest))
    } else if Self.isCaseless(scheme, "basic"), let text = Data(base64Encoded: Data(rest)),
      let colon = text.firstIndex(of: UInt8(ascii: ":")),
      let name = String(validating: text[..<colon], as: UTF8.self)
    {
      self = .basic(name: name, password: Array(text[text.index(after: colon)...]))
    } else {
      return nil
    }
  }

  private static let blank = UInt8(ascii: " ")

  private static func isCaseless(_ bytes: some Collection<UInt8>, _ text: StaticString) -> Bool {
    bytes.count == text.utf8CodeUnitCount
      && zip(bytes, UnsafeBufferPointer(start: text.utf8Start, count: bytes.count)).allSatisfy { $0 | 0x20 == $1 }
  }

  /// What a key may hold (RFC 6750, 2.1, and what others than this program's own make of it): visible ASCII.
  private static func isTokenByte(_ byte: UInt8) -> Bool { 0x21...0x7E ~= byte }
}
