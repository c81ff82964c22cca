extension JSONPrinter {
  /// Makes the text from `frame.mark` to `out` the key of an object; false when the map must be written as
  /// pairs. `head` is the first byte of the key in the source, if the key is no container.
  @inline(__always) mutating func finishKey(
    _ frame: Frame, _ head: UInt8, _ out: inout UnsafeMutablePointer<UInt8>,
    _ limit: inout UnsafeMutablePointer<UInt8>, _ buffer: inout ByteBuffer
  ) -> Bool {
    let mark = Int(frame.mark)
    let strict = frame.isInKey || options.keys == .pairs
    if (buffer.base + before)[mark] != UInt8(ascii: "\"") {
      if strict { return false }
      quote(mark, &out, &limit, &buffer)
    } else if strict, head & 0xe0 != 0xa0, head &- 0xd9 > 2 {
      // Some values that are no strings are written as one: an integer beyond 2^53, a moment, NaN.
      return false
    }
    let origin = buffer.base + before
    return keys.add(
      origin, offset: mark &+ 1, length: out - origin &- mark &- 2, source: 0, first: Int(frame.firstKey))
  }

  /// Goes back to the first byte of the innermost map, to write it as pairs.
  @inline(never) mutating func again(
    _ frame: inout Frame, _ p: inout UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>,
    _ elements: inout Int, _ base: UnsafeMutablePointer<UInt8>
  ) {
    asPairs.insert(frame.source)
    p = start + Int(frame.source)
    out = base + before + Int(frame.output)
    elements = Int(frame.elements)
    keys.entries.truncate(to: Int(frame.firstKey))
    frame = frames.removeLast()
  }

  /// Whether the one key at `p` is a reserved word, which as an object would read back as something else.
  @inline(never) mutating func isReserved(_ p: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    guard count == 1 else { return false }
    var cursor = Cursor(start: start, end: end, at: p, left: 1)
    guard case .string(let text)? = try? cursor.token(), let name = text.baseAddress else { return false }
    return ReservedKey(name.assumingMemoryBound(to: UInt8.self), text.count) != nil
  }

  /// Turns the text from `mark` to `out` into a string that holds it.
  @inline(never) private mutating func quote(
    _ mark: Int, _ out: inout UnsafeMutablePointer<UInt8>, _ limit: inout UnsafeMutablePointer<UInt8>,
    _ buffer: inout ByteBuffer
  ) {
    var count = out - buffer.base - before - mark
    // The text is JSON, so only quotes and backslashes need escaping.
    var extra = 2
    for i in 0..<count {
      let byte = (buffer.base + before + mark)[i]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { extra += 1 }
    }
    reserve(extra + Self.slack, &out, &limit, &buffer)
    let text = buffer.base + before + mark
    var target = out + extra - 1
    out = target + 1
    target.pointee = UInt8(ascii: "\"")
    while count > 0 {
      count -= 1
      target -= 1
      target.pointee = text[count]
      if text[count] == UInt8(ascii: "\"") || text[count] == UInt8(ascii: "\\") {
        target -= 1
        target.pointee = UInt8(ascii: "\\")
      }
    }
    text.pointee = UInt8(ascii: "\"")
  }
}
