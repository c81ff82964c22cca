/// Base64 with padding and the standard alphabet (RFC 4648 section 4), strictly.
enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The length of the text for `count` bytes.
  static func length(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Writes `length(count)` characters and gives the position behind them.
  static func encode(
    _ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let letters = alphabet.utf8Start
    var out = out
    var i = 0
    while i + 3 <= bytes.count {
      let group = Int(bytes[i]) << 16 | Int(bytes[i + 1]) << 8 | Int(bytes[i + 2])
      out[0] = letters[group >> 18]
      out[1] = letters[group >> 12 & 63]
      out[2] = letters[group >> 6 & 63]
      out[3] = letters[group & 63]
      out += 4
      i += 3
    }
    guard i < bytes.count else { return out }
    let pair = i + 1 < bytes.count
    let group = Int(bytes[i]) << 16 | (pair ? Int(bytes[i + 1]) << 8 : 0)
    out[0] = letters[group >> 18]
    out[1] = letters[group >> 12 & 63]
    out[2] = pair ? letters[group >> 6 & 63] : UInt8(ascii: "=")
    out[3] = UInt8(ascii: "=")
    return out + 4
  }

  /// The number of bytes that `text` stands for, or nil when its length or padding is wrong.
  static func decodedCount(_ text: UnsafeRawBufferPointer) -> Int? {
    guard text.count.isMultiple(of: 4) else { return nil }
    guard let last = text.last else { return 0 }
    guard last == UInt8(ascii: "=") else { return text.count / 4 * 3 }
    return text.count / 4 * 3 - (text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1)
  }

  /// Writes the bytes of `text`; false when a character is foreign or unused bits are set. `out` may be the text's own
  /// memory or lie before it.
  static func decode(_ text: UnsafeRawBufferPointer, _ out: UnsafeMutablePointer<UInt8>) -> Bool {
    guard let count = decodedCount(text) else { return false }
    var (at, written) = (0, 0)
    while written < count {
      let wanted = min(3, count - written)
      var group = 0
      for i in 0...3 {
        let value = i <= wanted ? digit(text[at + i]) : 0
        guard value >= 0 else { return false }
        group = group << 6 | value
      }
      // Unused bits must be zero, else two texts would stand for the same bytes.
      if wanted < 3, group & (wanted == 1 ? 0xffff : 0xff) != 0 { return false }
      for i in 0..<wanted { out[written + i] = UInt8(truncatingIfNeeded: group >> (16 - 8 * i)) }
      at += 4
      written += wanted
    }
    return true
  }

  private static func digit(_ byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte) - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(byte) - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) + 4
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: -1
    }
  }
}
