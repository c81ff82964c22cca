/// One character of UTF-8 beyond ASCII (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
enum UTF8Sequence {
  /// The length (2...4) of the sequence at `p`, or 0 when it is broken, cut off at `end` or a lone continuation.
  @inline(__always) static func length(_ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
    let first = p[0]
    let left = end - p
    if first < 0xc2 { return 0 }
    if first < 0xe0 { return left >= 2 && p[1] & 0xc0 == 0x80 ? 2 : 0 }
    if first < 0xf0 {
      guard left >= 3, p[1] & 0xc0 == 0x80, p[2] & 0xc0 == 0x80 else { return 0 }
      if first == 0xe0 && p[1] < 0xa0 || first == 0xed && p[1] >= 0xa0 { return 0 }
      return 3
    }
    guard first < 0xf5, left >= 4, p[1] & 0xc0 == 0x80, p[2] & 0xc0 == 0x80, p[3] & 0xc0 == 0x80 else { return 0 }
    if first == 0xf0 && p[1] < 0x90 || first == 0xf4 && p[1] >= 0x90 { return 0 }
    return 4
  }

  /// Whether all of `bytes` is valid UTF-8.
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return true }
    var p = start
    let end = start + bytes.count
    while p < end {
      if p.pointee < 0x80 {
        p += 1
        continue
      }
      let length = length(p, end)
      if length == 0 { return false }
      p += length
    }
    return true
  }

  /// Writes `scalar` (no surrogate) and gives the position behind it.
  static func write(_ scalar: UInt32, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: scalar >> shift) & 0x3f }
    let top = { (shift: UInt32) in UInt8(truncatingIfNeeded: scalar >> shift) }
    switch scalar {
    case ..<0x80:
      out[0] = top(0)
      return out + 1
    case ..<0x800:
      out[0] = 0xc0 | top(6)
      out[1] = continuation(0)
      return out + 2
    case ..<0x1_0000:
      out[0] = 0xe0 | top(12)
      out[1] = continuation(6)
      out[2] = continuation(0)
      return out + 3
    default:
      out[0] = 0xf0 | top(18)
      out[1] = continuation(12)
      out[2] = continuation(6)
      out[3] = continuation(0)
      return out + 4
    }
  }
}

extension String {
  /// The text, if the bytes are UTF-8. For short ones several times faster than the standard library's `init(validating:as:)`.
  package init?(validUTF8 bytes: UnsafeRawBufferPointer) {
    guard UTF8Sequence.isValid(bytes) else { return nil }
    self.init(decoding: bytes, as: UTF8.self)
  }
}
