extension JSONPrinter {
  /// Writes the `count` bytes at `p` as a string, or as `$bin` when they are not UTF-8.
  @inline(__always) mutating func string(
    _ p: inout UnsafePointer<UInt8>, _ count: Int, _ out: inout UnsafeMutablePointer<UInt8>,
    _ limit: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) throws(TranscodingFault) {
    guard count <= end - p else { throw TranscodingFault(.longString, p - start - 1) }
    if limit - out < count + Self.slack { reserve(count + Self.slack, &out, &limit, &buffer) }
    var q = p
    var left = count
    out.pointee = UInt8(ascii: "\"")
    var text = out + 1
    while left > 0 {
      guard left >= 8 || end - q >= 8 else {
        guard let length = JSONStringEscaping.plainTail(q, left, text) else { break }
        q += length
        text += length
        left = 0
        break
      }
      let word = ByteWord.load(q)
      ByteWord.store(word, text)
      let step = min(left, 8)
      let special = step == 8 ? ByteWord.special(word) : ByteWord.low(ByteWord.special(word), step)
      if special != 0 { break }
      q += step
      text += step
      left &-= step
    }
    if left > 0 {
      rest(p, count, q, text, &out, &limit, &buffer)
      p += count
      return
    }
    text.pointee = UInt8(ascii: "\"")
    out = text + 1
    p = q
  }

  /// Goes on from `q` with a string that holds more than plain ASCII; it began at `p`, and `text` is as far as `q`.
  @inline(never) private mutating func rest(
    _ p: UnsafePointer<UInt8>, _ count: Int, _ q: UnsafePointer<UInt8>, _ text: UnsafeMutablePointer<UInt8>,
    _ out: inout UnsafeMutablePointer<UInt8>, _ limit: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) {
    let opening = out - buffer.base
    var position = text
    if JSONStringEscaping.escape(q, p + count, &position, &buffer) {
      out = position
      limit = buffer.base + buffer.capacity
      if limit - out < Self.slack { reserve(Self.slack, &out, &limit, &buffer) }
      out.pointee = UInt8(ascii: "\"")
      out += 1
    } else {
      out = buffer.base + opening
      binary(UnsafeRawBufferPointer(start: p, count: count), &out, &limit, &buffer)
    }
  }
}
