/// Headers of binary, extension and map values in their shortest forms, written at a raw position.
enum MessagePackBody {
  static func binaryHeader(_ size: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    sized(size, 0xc4, out)
  }

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

  static func mapHeader(_ count: Int, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    switch count {
    case ..<16:
      out.pointee = 0x80 | UInt8(count)
      return out + 1
    case ...0xffff:
      out.pointee = 0xde
      ByteWord.store(UInt16(count).bigEndian, out + 1)
      return out + 3
    default:
      out.pointee = 0xdf
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
