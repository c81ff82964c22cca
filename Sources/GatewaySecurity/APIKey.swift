/// A key by which a caller is known: a word to be sent with each request.
package struct APIKey: Sendable {
  /// What it is sent as: `zgk_`, by which tools that look for leaked secrets know it, and 43 letters, digits, `-` and `_`.
  package let text: String

  /// A fresh one, of 256 bits that the system's generator gives; `mark` is what it begins with.
  package static func random(_ mark: String = "zgk_") -> APIKey {
    var bits = SystemRandomNumberGenerator()
    var digits: [UInt8] = []
    // Six bits each: 43 of them hold 256.
    for _ in 0..<43 { digits.append(alphabet[Int(truncatingIfNeeded: bits.next() & 63)]) }
    return APIKey(text: mark + String(decoding: digits, as: UTF8.self))
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// All of it that is kept.
  package var digest: SecretDigest { text.utf8.span.withUnsafeBytes { SecretDigest(of: $0) } }
}
