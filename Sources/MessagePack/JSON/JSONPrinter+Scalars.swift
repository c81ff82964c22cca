extension JSONPrinter {
  /// Beyond 2^53 not every integer is a number of JavaScript: two may become one in a browser.
  static let safe: UInt64 = 1 << 53

  @inline(__always) static func word(
    _ text: StaticString, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let count = text.utf8CodeUnitCount
    UnsafeMutableRawPointer(out).copyMemory(from: text.utf8Start, byteCount: count)
    return out + count
  }

  /// Makes room for `count` bytes at `out`.
  @inline(never) mutating func reserve(
    _ count: Int, _ out: inout UnsafeMutablePointer<UInt8>, _ limit: inout UnsafeMutablePointer<UInt8>,
    _ buffer: inout ByteBuffer
  ) {
    out = buffer.reserve(count, after: out)
    limit = buffer.base + buffer.capacity
  }

  @inline(__always) mutating func integer(
    _ value: Int64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    if value >= 0 { return integer(UInt64(bitPattern: value), out) }
    if options.integers == .string, value.magnitude > Self.safe { return quoted(value.magnitude, true, out) }
    out.pointee = UInt8(ascii: "-")
    return JSONNumber.write(value.magnitude, out + 1)
  }

  @inline(__always) mutating func integer(
    _ value: UInt64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    if options.integers == .string, value > Self.safe { return quoted(value, false, out) }
    return JSONNumber.write(value, out)
  }

  @inline(never) private mutating func quoted(
    _ value: UInt64, _ negative: Bool, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    var out = JSONPrinter.word(negative ? "\"-" : "\"", out)
    out = JSONNumber.write(value, out)
    return JSONPrinter.word("\"", out)
  }

  @inline(__always) mutating func double(
    _ value: Double, _ out: UnsafeMutablePointer<UInt8>, _ source: Int
  ) throws(TranscodingFault) -> UnsafeMutablePointer<UInt8> {
    if value.isFinite { return JSONNumber.write(value, out) }
    switch options.nonFinite {
    case .null: return JSONPrinter.word("null", out)
    case .error: throw TranscodingFault(.notFinite, source)
    case .string:
      let name: StaticString = value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
      return JSONPrinter.word(name, out)
    }
  }

  @inline(never) mutating func binary(
    _ bytes: UnsafeRawBufferPointer, _ out: inout UnsafeMutablePointer<UInt8>,
    _ limit: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) {
    reserve(Base64.length(bytes.count) + 2 * Self.slack, &out, &limit, &buffer)
    out = JSONPrinter.word("{\"$bin\":\"", out)
    out = Base64.encode(bytes, out)
    out = JSONPrinter.word("\"}", out)
  }

  /// Moments and dates as ISO 8601 text, codes that the rules call text as such, everything else as code and bytes.
  @inline(never) mutating func extended(
    _ code: Int8, _ payload: UnsafeRawBufferPointer, _ out: inout UnsafeMutablePointer<UInt8>,
    _ limit: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) throws(TranscodingFault) {
    if options.extensions.isText(code), UTF8Sequence.isValid(payload) {
      var p = payload.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? end
      return try string(&p, payload.count, &out, &limit, &buffer)
    }
    let text: String? =
      switch code {
      case -1: Timestamp(payload: payload)?.text
      case 123...: PickledDate(code: code, payload: payload)?.text
      default: nil
      }
    if let text {
      // These texts are a few dozen plain characters: digits, punctuation and zone names.
      reserve(text.utf8.count + 2 * Self.slack, &out, &limit, &buffer)
      out = JSONPrinter.word("\"", out)
      for byte in text.utf8 {
        out.pointee = byte
        out += 1
      }
      out = JSONPrinter.word("\"", out)
      return
    }
    reserve(Base64.length(payload.count) + 2 * Self.slack, &out, &limit, &buffer)
    out = JSONPrinter.word("{\"$ext\":[", out)
    out = code < 0 ? JSONPrinter.word("-", out) : out
    out = JSONNumber.write(UInt64(code.magnitude), out)
    out = JSONPrinter.word(",\"", out)
    out = Base64.encode(payload, out)
    out = JSONPrinter.word("\"]}", out)
  }
}
