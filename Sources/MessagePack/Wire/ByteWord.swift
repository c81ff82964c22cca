import Glibc

/// Unaligned loads and stores, and the eight-bytes-at-once tests of the string loops.
enum ByteWord {
  static let ones: UInt64 = 0x0101_0101_0101_0101
  static let highs: UInt64 = 0x8080_8080_8080_8080

  @inline(__always) static func load(_ at: UnsafePointer<UInt8>) -> UInt64 {
    UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
  }

  @inline(__always) static func store<T: FixedWidthInteger & BitwiseCopyable>(
    _ value: T, _ at: UnsafeMutablePointer<UInt8>
  ) {
    UnsafeMutableRawPointer(at).storeBytes(of: value, as: T.self)
  }

  /// Marks, in the high bit of each byte, the bytes a JSON string cannot hold plainly: quote, backslash, control
  /// characters, and anything beyond ASCII. Only the lowest mark is exact: a borrow can only spread upwards from one.
  @inline(__always) static func special(_ word: UInt64) -> UInt64 {
    let quote = (word ^ (ones &* 0x22)) &- ones
    let backslash = (word ^ (ones &* 0x5c)) &- ones
    let control = word &- ones &* 0x20
    return (quote | backslash | control | word) & highs
  }

  /// The bytes of `word` below `count` (0...7), the others zero.
  @inline(__always) static func low(_ word: UInt64, _ count: Int) -> UInt64 {
    word & ((1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1)
  }

  /// For a few bytes, such as those of a literal; `same` is for texts of any length.
  @inline(__always) static func equal(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    for i in 0..<count where a[i] != b[i] { return false }
    return true
  }

  static func same(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    memcmp(a, b, count) == 0
  }

  @inline(__always) static func equal(_ a: UnsafePointer<UInt8>, _ count: Int, _ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && equal(a, text.utf8Start, count)
  }
}
