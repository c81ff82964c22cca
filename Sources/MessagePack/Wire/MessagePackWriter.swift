/// MessagePack in its shortest forms, written at a raw position. Each function gives the position behind what it wrote; the
/// caller has made room.
///
/// Integers that are not negative take the unsigned forms, as Python's msgpack writes them.
enum MessagePackWriter {
  /// Writes at most nine bytes and gives the position behind them.
  @inline(never) static func integer(
    _ value: UInt64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    switch value {
    case ..<0x80:
      out.pointee = UInt8(truncatingIfNeeded: value)
      return out + 1
    case ...0xff:
      out.pointee = 0xcc
      out[1] = UInt8(truncatingIfNeeded: value)
      return out + 2
    case ...0xffff:
      out.pointee = 0xcd
      ByteWord.store(UInt16(truncatingIfNeeded: value).bigEndian, out + 1)
      return out + 3
    case ...0xffff_ffff:
      out.pointee = 0xce
      ByteWord.store(UInt32(truncatingIfNeeded: value).bigEndian, out + 1)
      return out + 5
    default:
      out.pointee = 0xcf
      ByteWord.store(value.bigEndian, out + 1)
      return out + 9
    }
  }

  /// Writes at most nine bytes and gives the position behind them.
  @inline(never) static func integer(
    _ value: Int64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    if value >= 0 { return integer(UInt64(value), out) }
    switch value {
    case (-32)...:
      out.pointee = UInt8(truncatingIfNeeded: value)
      return out + 1
    case (-0x80)...:
      out.pointee = 0xd0
      out[1] = UInt8(truncatingIfNeeded: value)
      return out + 2
    case (-0x8000)...:
      out.pointee = 0xd1
      ByteWord.store(UInt16(truncatingIfNeeded: value).bigEndian, out + 1)
      return out + 3
    case (-0x8000_0000)...:
      out.pointee = 0xd2
      ByteWord.store(UInt32(truncatingIfNeeded: value).bigEndian, out + 1)
      return out + 5
    default:
      out.pointee = 0xd3
      ByteWord.store(UInt64(bitPattern: value).bigEndian, out + 1)
      return out + 9
    }
  }

  /// Bytes of the header of an array or a map.
  static func containerHeaderSize(_ count: Int) -> Int { count <= 15 ? 1 : count <= 0xffff ? 3 : 5 }

  /// The header of an array; its `count` values must follow (fewer than 2^32). At most five bytes.
  static func arrayHeader(_ count: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    container(count, short: 0x90, long: 0xdc, out)
  }

  /// The header of a map; its `count` keys, each with its value behind it, must follow (fewer than 2^32). At most five bytes.
  static func mapHeader(_ count: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    container(count, short: 0x80, long: 0xde, out)
  }

  /// Bytes of the header of a string of `size` bytes.
  static func stringHeaderSize(_ size: Int) -> Int { size < 32 ? 1 : size <= 0xff ? 2 : size <= 0xffff ? 3 : 5 }

  /// Bytes of the header of a string that takes `size` bytes with it.
  @inline(__always) static func stringHeaderSize(ofWhole size: Int) -> Int {
    size < 1 + 32 ? 1 : size <= 2 + 0xff ? 2 : size <= 3 + 0xffff ? 3 : 5
  }

  /// The header of a string; its bytes must follow (fewer than 2^32). At most five bytes.
  static func stringHeader(_ size: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    if size >= 32 { return sized(size, 0xd9, out) }
    out.pointee = 0xa0 | UInt8(size)
    return out + 1
  }

  /// The header of binary data; its bytes must follow (fewer than 2^32). At most five bytes.
  static func binaryHeader(_ size: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    sized(size, 0xc4, out)
  }

  /// The header of an extension; its bytes must follow (fewer than 2^32). At most six bytes.
  static func extensionHeader(
    _ code: Int8, _ size: Int, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let behind: UnsafeMutablePointer<UInt8>
    switch size {
    case 1, 2, 4, 8, 16:
      out.pointee = 0xd4 + UInt8(size.trailingZeroBitCount)
      behind = out + 1
    default: behind = sized(size, 0xc7, out)
    }
    behind.pointee = UInt8(bitPattern: code)
    return behind + 1
  }

  /// A tag that holds counts below 16, and a pair of tags for counts of two and of four bytes.
  private static func container(
    _ count: Int, short: UInt8, long: UInt8, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    switch count {
    case ..<16:
      out.pointee = short | UInt8(count)
      return out + 1
    case ...0xffff:
      out.pointee = long
      ByteWord.store(UInt16(count).bigEndian, out + 1)
      return out + 3
    default:
      out.pointee = long + 1
      ByteWord.store(UInt32(count).bigEndian, out + 1)
      return out + 5
    }
  }

  /// A family of three tags in a row for sizes of one, two and four bytes.
  private static func sized(
    _ size: Int, _ tag: UInt8, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    switch size {
    case ...0xff:
      out.pointee = tag
      out[1] = UInt8(size)
      return out + 2
    case ...0xffff:
      out.pointee = tag + 1
      ByteWord.store(UInt16(size).bigEndian, out + 1)
      return out + 3
    default:
      out.pointee = tag + 2
      ByteWord.store(UInt32(size).bigEndian, out + 1)
      return out + 5
    }
  }
}

extension ByteBuffer {
  /// Adds a string. The bytes should be UTF-8; fewer than 2^32.
  public mutating func appendString(_ utf8: UnsafeRawBufferPointer) {
    appendHeader(MessagePackWriter.stringHeader, utf8.count)
    append(utf8)
  }

  /// Adds a string.
  public mutating func appendString(_ text: String) {
    var text = text
    text.withUTF8 { appendString(UnsafeRawBufferPointer($0)) }
  }

  /// Adds binary data; fewer than 2^32 bytes.
  mutating func appendBinary(_ bytes: UnsafeRawBufferPointer) {
    appendHeader(MessagePackWriter.binaryHeader, bytes.count)
    append(bytes)
  }

  /// Adds an extension; fewer than 2^32 bytes.
  mutating func appendExtension(_ code: Int8, _ payload: UnsafeRawBufferPointer) {
    appendHeader({ MessagePackWriter.extensionHeader(code, $0, $1) }, payload.count)
    append(payload)
  }

  /// Adds the header of an array; its `count` values must follow (fewer than 2^32).
  public mutating func appendArrayHeader(_ count: Int) { appendHeader(MessagePackWriter.arrayHeader, count) }

  /// Adds the header of a map; its `count` keys, each with its value behind it, must follow (fewer than 2^32).
  public mutating func appendMapHeader(_ count: Int) { appendHeader(MessagePackWriter.mapHeader, count) }

  @inline(__always) private mutating func appendHeader(
    _ write: (Int, UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>, _ size: Int
  ) {
    reserve(6)
    count = write(size, base + count) - base
  }
}
