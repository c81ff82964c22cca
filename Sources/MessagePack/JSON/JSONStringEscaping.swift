/// The text of JSON strings: UTF-8 with a backslash before quote and backslash, and escapes for control characters.
enum JSONStringEscaping {
  /// Copies `count` (below 8) bytes that are all plain ASCII; nil when one is not.
  @inline(__always) static func plainTail(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ out: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    for i in 0..<count {
      let byte = p[i]
      if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5c { return nil }
      out[i] = byte
    }
    return count
  }

  /// Writes the bytes from `p` to `stop`, escaped, at `out`, growing the buffer as needed; false when they are not UTF-8
  /// (what was written is then worthless).
  static func escape(
    _ p: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>,
    _ out: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) -> Bool {
    var p = p
    let slack = 32
    while p < stop {
      // Room for all that is left as it stands, and for one escape.
      if buffer.base + buffer.capacity - out < stop - p + slack { out = buffer.reserve(stop - p + slack, after: out) }
      while stop - p >= 8 {
        let word = ByteWord.load(p)
        ByteWord.store(word, out)
        let special = ByteWord.special(word)
        let plain = special == 0 ? 8 : special.trailingZeroBitCount &>> 3
        p += plain
        out += plain
        if special != 0 { break }
      }
      if p == stop { break }
      let byte = p.pointee
      if byte >= 0x80 {
        // Text beyond ASCII comes in runs; escapes are what the room is counted for, so these need no test.
        repeat {
          let length = UTF8Sequence.length(p, stop)
          if length == 0 { return false }
          for i in 0..<length { out[i] = p[i] }
          p += length
          out += length
        } while p < stop && p.pointee >= 0x80
        continue
      }
      p += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out = escaped(byte, out)
      case 0x0a: out = escaped(UInt8(ascii: "n"), out)
      case 0x0d: out = escaped(UInt8(ascii: "r"), out)
      case 0x09: out = escaped(UInt8(ascii: "t"), out)
      case 0x08: out = escaped(UInt8(ascii: "b"), out)
      case 0x0c: out = escaped(UInt8(ascii: "f"), out)
      case ..<0x20:
        ByteWord.store(0x3030_755c as UInt32, out)
        out[4] = 0x30 | byte >> 4
        out[5] = ("0123456789abcdef" as StaticString).utf8Start[Int(byte & 15)]
        out += 6
      default:
        out.pointee = byte
        out += 1
      }
    }
    return true
  }

  @inline(__always) private static func escaped(
    _ byte: UInt8, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    out.pointee = UInt8(ascii: "\\")
    out[1] = byte
    return out + 2
  }
}

extension ByteBuffer {
  /// Adds a JSON string: quoted, escaped where RFC 8259 requires it and nowhere else.
  ///
  /// Bytes that are not UTF-8 are replaced by U+FFFD, as `String(decoding:as:)` does.
  public mutating func appendJSONString(_ bytes: UnsafeRawBufferPointer) {
    let before = count
    append(UInt8(ascii: "\""))
    if let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) {
      let stop = start + bytes.count
      var out = base + count
      guard JSONStringEscaping.escape(start, stop, &out, &self) else {
        count = before
        return appendJSONString(String(decoding: bytes, as: UTF8.self))
      }
      count = out - base
    }
    append(UInt8(ascii: "\""))
  }

  /// Adds a JSON string: quoted, escaped where RFC 8259 requires it and nowhere else.
  public mutating func appendJSONString(_ text: String) {
    var text = text
    text.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0)) }
  }
}
