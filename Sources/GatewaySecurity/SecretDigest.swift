import Crypto

/// The SHA-256 of a secret that is too long to be guessed, such as a key: all that is kept of it.
package struct SecretDigest: Sendable {
  private let words: SIMD4<UInt64>

  /// The digest of these bytes.
  package init(of secret: UnsafeRawBufferPointer) {
    var hash = SHA256()
    hash.update(bufferPointer: secret)
    words = hash.finalize().withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
  }

  /// The digest that is written so: 64 hexadecimal digits, in small or capital letters; nil for anything else.
  package init?(hex: some StringProtocol) {
    let digits = hex.utf8.compactMap { digit -> UInt8? in
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x41...0x46, 0x61...0x66: (digit & 0xDF) - 0x37
      default: nil
      }
    }
    guard digits.count == 64, hex.utf8.count == 64 else { return nil }
    let bytes = stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
  }

  /// 64 hexadecimal digits in small letters.
  package var hex: String {
    withUnsafeBytes(of: words) { bytes in
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }

  /// What a digest is looked up by. Whoever wants to meet one that is there has to try 2^64 secrets.
  package var prefix: UInt64 { words[0] }

  /// Whether both are the same; takes the same time whatever they are.
  package func matches(_ other: SecretDigest) -> Bool {
    let difference = words ^ other.words
    return difference[0] | difference[1] | difference[2] | difference[3] == 0
  }
}

extension SecretDigest: Hashable {
  package static func == (left: SecretDigest, right: SecretDigest) -> Bool { left.matches(right) }

  package func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
}
