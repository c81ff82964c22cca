extension JSONParser {
  /// Reads a string whose opening quote is passed, and writes it with its header.
  @inline(__always) mutating func string(
    _ p: inout UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) {
    // The header is one byte until the length is known; words are stored as they are tested.
    var q = p
    var text = out + 1
    while end - q >= 8 {
      let word = ByteWord.load(q)
      ByteWord.store(word, text)
      let special = ByteWord.special(word)
      if special == 0 {
        q += 8
        text += 8
        continue
      }
      let plain = special.trailingZeroBitCount &>> 3
      q += plain
      text += plain
      if q.pointee != UInt8(ascii: "\"") { break }
      p = q + 1
      let length = text - out - 1
      if length < 32 {
        out.pointee = 0xa0 | UInt8(truncatingIfNeeded: length)
        out = text
      } else {
        out = finish(out, length)
      }
      return
    }
    let rest = try carefully(q, text)
    p = rest.p
    out = finish(out, rest.out - out - 1)
  }

  /// The header of a string whose `length` bytes stand behind one byte at `out`; gives the end.
  @inline(never) private mutating func finish(
    _ out: UnsafeMutablePointer<UInt8>, _ length: Int
  ) -> UnsafeMutablePointer<UInt8> {
    let size = MessagePackWriter.stringHeaderSize(length)
    if size > 1 { UnsafeMutableRawPointer(out + size).copyMemory(from: out + 1, byteCount: length) }
    return MessagePackWriter.stringHeader(length, out) + length
  }

  /// The rest of a string, with escapes, characters beyond ASCII and the last bytes of the text; ends behind the quote.
  @inline(never) private mutating func carefully(
    _ p: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) -> (p: UnsafePointer<UInt8>, out: UnsafeMutablePointer<UInt8>) {
    var (p, out) = (p, out)
    while p < end {
      let byte = p.pointee
      switch byte {
      case UInt8(ascii: "\""):
        return (p + 1, out)
      case UInt8(ascii: "\\"):
        (p, out) = try escape(p, out)
      case ..<0x20:
        throw TranscodingFault(.controlCharacter, p - start)
      case ..<0x80:
        // Back to whole words where they fit; the test costs little against what brought us here.
        while end - p >= 8 {
          let word = ByteWord.load(p)
          ByteWord.store(word, out)
          let special = ByteWord.special(word)
          let plain = special == 0 ? 8 : special.trailingZeroBitCount &>> 3
          p += plain
          out += plain
          if special != 0 { break }
        }
        if end - p < 8, p < end, p.pointee >= 0x20, p.pointee < 0x80, p.pointee != 0x22, p.pointee != 0x5c {
          out.pointee = p.pointee
          out += 1
          p += 1
        }
      default:
        let length = UTF8Sequence.length(p, end)
        if length == 0 { throw TranscodingFault(.badUTF8, p - start) }
        for i in 0..<length { out[i] = p[i] }
        p += length
        out += length
      }
    }
    throw TranscodingFault(.unexpectedEnd, p - start)
  }

  @inline(__always) private mutating func escape(
    _ p: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) -> (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) {
    guard end - p >= 2 else { throw TranscodingFault(.unexpectedEnd, end - start) }
    let byte: UInt8
    switch p[1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte = p[1]
    case UInt8(ascii: "n"): byte = 0x0a
    case UInt8(ascii: "t"): byte = 0x09
    case UInt8(ascii: "r"): byte = 0x0d
    case UInt8(ascii: "b"): byte = 0x08
    case UInt8(ascii: "f"): byte = 0x0c
    case UInt8(ascii: "u"): return try unicode(p, out)
    default: throw TranscodingFault(.badEscape, p - start)
    }
    out.pointee = byte
    return (p + 2, out + 1)
  }

  private mutating func unicode(
    _ p: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) -> (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) {
    let unit = try hex(p)
    guard unit & 0xf800 == 0xd800 else { return (p + 6, UTF8Sequence.write(unit, out)) }
    guard unit < 0xdc00, end - p >= 8, p[6] == UInt8(ascii: "\\"), p[7] == UInt8(ascii: "u") else {
      throw TranscodingFault(.loneSurrogate, p - start)
    }
    let low = try hex(p + 6)
    guard low & 0xfc00 == 0xdc00 else { throw TranscodingFault(.loneSurrogate, p - start) }
    return (p + 12, UTF8Sequence.write(0x1_0000 + (unit - 0xd800) << 10 + (low - 0xdc00), out))
  }

  /// The four hexadecimal digits of the `\u` escape at `p`.
  private mutating func hex(_ p: UnsafePointer<UInt8>) throws(TranscodingFault) -> UInt32 {
    guard end - p >= 6 else { throw TranscodingFault(.unexpectedEnd, end - start) }
    var unit: UInt32 = 0
    for i in 2..<6 {
      let digit: UInt8
      switch p[i] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = p[i] - 0x30
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = p[i] - 0x57
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = p[i] - 0x37
      default: throw TranscodingFault(.badEscape, p - start)
      }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }
}
