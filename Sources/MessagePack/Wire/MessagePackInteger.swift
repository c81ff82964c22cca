/// The shortest MessagePack form of an integer: unsigned forms for all that is not negative, as Python's msgpack writes.
enum MessagePackInteger {
  /// Writes at most nine bytes and gives the position behind them.
  @inline(never) static func writePositive(
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
  @inline(never) static func write(
    _ value: Int64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    if value >= 0 { return writePositive(UInt64(value), out) }
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
}
