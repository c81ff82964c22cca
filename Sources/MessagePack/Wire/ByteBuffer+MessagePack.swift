extension ByteBuffer {
  /// Adds nil.
  public mutating func appendNil() { append(0xc0) }

  /// Adds true or false.
  public mutating func appendBool(_ value: Bool) { append(value ? 0xc3 : 0xc2) }

  /// Adds an integer in its shortest form.
  public mutating func appendInteger(_ value: Int64) {
    reserve(9)
    count = MessagePackInteger.write(value, base + count) - base
  }

  /// Adds an integer in its shortest form.
  public mutating func appendInteger(_ value: UInt64) {
    reserve(9)
    count = MessagePackInteger.writePositive(value, base + count) - base
  }

  /// Adds a float64.
  public mutating func appendDouble(_ value: Double) { append(0xcb, value.bitPattern) }

  /// Adds a string. The bytes should be UTF-8; fewer than 2^32.
  public mutating func appendString(_ utf8: UnsafeRawBufferPointer) {
    switch utf8.count {
    case ..<32: append(0xa0 | UInt8(utf8.count))
    case ...0xff: append(0xd9, UInt8(utf8.count))
    case ...0xffff: append(0xda, UInt16(utf8.count))
    default: append(0xdb, UInt32(utf8.count))
    }
    append(utf8)
  }

  /// Adds a string.
  public mutating func appendString(_ text: String) {
    var text = text
    text.withUTF8 { appendString(UnsafeRawBufferPointer($0)) }
  }

  /// Adds binary data, fewer than 2^32 bytes.
  public mutating func appendBinary(_ bytes: UnsafeRawBufferPointer) {
    appendBinaryHeader(bytes.count)
    append(bytes)
  }

  /// Adds the header of an array; its `count` values must follow (fewer than 2^32).
  public mutating func appendArrayHeader(_ count: Int) {
    switch count {
    case ..<16: append(0x90 | UInt8(count))
    case ...0xffff: append(0xdc, UInt16(count))
    default: append(0xdd, UInt32(count))
    }
  }

  /// Adds the header of a map; its `count` keys, each with its value behind it, must follow (fewer than 2^32).
  public mutating func appendMapHeader(_ count: Int) {
    switch count {
    case ..<16: append(0x80 | UInt8(count))
    case ...0xffff: append(0xde, UInt16(count))
    default: append(0xdf, UInt32(count))
    }
  }

  /// Adds an extension value of fewer than 2^32 bytes.
  public mutating func appendExtension(code: Int8, _ bytes: UnsafeRawBufferPointer) {
    appendExtensionHeader(code: code, bytes.count)
    append(bytes)
  }

  mutating func appendBinaryHeader(_ size: Int) {
    switch size {
    case ...0xff: append(0xc4, UInt8(size))
    case ...0xffff: append(0xc5, UInt16(size))
    default: append(0xc6, UInt32(size))
    }
  }

  mutating func appendExtensionHeader(code: Int8, _ size: Int) {
    switch size {
    case 1: append(0xd4)
    case 2: append(0xd5)
    case 4: append(0xd6)
    case 8: append(0xd7)
    case 16: append(0xd8)
    case ...0xff: append(0xc7, UInt8(size))
    case ...0xffff: append(0xc8, UInt16(size))
    default: append(0xc9, UInt32(size))
    }
    append(UInt8(bitPattern: code))
  }

  private mutating func append<T: FixedWidthInteger & BitwiseCopyable>(_ tag: UInt8, _ value: T) {
    let size = MemoryLayout<T>.size
    reserve(1 + size)
    base[count] = tag
    ByteWord.store(value.bigEndian, base + count + 1)
    count += 1 + size
  }
}
