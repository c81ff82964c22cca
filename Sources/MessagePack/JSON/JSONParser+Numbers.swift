extension JSONParser {
  /// Reads a number and writes it: an integer exactly, anything with a fraction or exponent as a float64.
  @inline(__always) mutating func number(
    _ p: inout UnsafePointer<UInt8>, _ out: inout UnsafeMutablePointer<UInt8>
  ) throws(TranscodingFault) {
    var q = p
    let negative = q.pointee == UInt8(ascii: "-")
    if negative { q += 1 }
    let first = q
    var digits: UInt64 = 0
    while q < end {
      let digit = q.pointee &- 0x30
      if digit > 9 { break }
      digits = digits &* 10 &+ UInt64(digit)
      q += 1
    }
    let count = q - first
    if count > 1, first.pointee == 0x30 { throw TranscodingFault(.leadingZero, first - start) }
    if count == 0 { throw TranscodingFault(q == end ? .unexpectedEnd : .badNumber, q - start) }
    if q < end, q.pointee == UInt8(ascii: ".") || q.pointee | 0x20 == UInt8(ascii: "e") {
      let (next, value) = try float(p, q, digits, count)
      out.pointee = 0xcb
      ByteWord.store(value.bitPattern.bigEndian, out + 1)
      out += 9
      p = next
      return
    }
    if count > 18 { digits = try large(first, count, negative) }
    p = q
    if !negative {
      if digits < 0x80 {
        out.pointee = UInt8(truncatingIfNeeded: digits)
        out += 1
      } else {
        out = MessagePackWriter.integer(digits, out)
      }
    } else {
      out = MessagePackWriter.integer(0 &- Int64(bitPattern: digits), out)
    }
  }

  /// An integer of more than 18 digits, checked against 64 bits.
  @inline(never) private mutating func large(
    _ first: UnsafePointer<UInt8>, _ count: Int, _ negative: Bool
  ) throws(TranscodingFault) -> UInt64 {
    var value: UInt64 = 0
    for i in 0..<count {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(first[i] &- 0x30))
      if overflow || carry { throw TranscodingFault(.integerRange, first - start) }
      value = sum
    }
    if negative, value > 1 << 63 { throw TranscodingFault(.integerRange, first - start) }
    return value
  }

  /// The number at `p`, whose `count` digits before `q` make `digits` (if they fit); `q` is on its point or exponent.
  @inline(never) private mutating func float(
    _ p: UnsafePointer<UInt8>, _ q: UnsafePointer<UInt8>, _ digits: UInt64, _ count: Int
  ) throws(TranscodingFault) -> (UnsafePointer<UInt8>, Double) {
    var (q, digits, count, exponent) = (q, digits, count, 0)
    if q.pointee == UInt8(ascii: ".") {
      q += 1
      let fraction = q
      while q < end {
        let digit = q.pointee &- 0x30
        if digit > 9 { break }
        digits = digits &* 10 &+ UInt64(digit)
        q += 1
      }
      exponent = fraction - q
      if exponent == 0 { throw TranscodingFault(q == end ? .unexpectedEnd : .badNumber, q - start) }
      // "0.0012" has two digits that count, not five; counting them as five only costs the fast path for long ones.
      count -= exponent
    }
    if q < end, q.pointee | 0x20 == UInt8(ascii: "e") {
      q += 1
      var negative = false
      if q < end, q.pointee == UInt8(ascii: "-") || q.pointee == UInt8(ascii: "+") {
        negative = q.pointee == UInt8(ascii: "-")
        q += 1
      }
      let first = q
      var explicit = 0
      while q < end {
        let digit = q.pointee &- 0x30
        if digit > 9 { break }
        if explicit < 1_000_000 { explicit = explicit * 10 + Int(digit) }
        q += 1
      }
      if q == first { throw TranscodingFault(q == end ? .unexpectedEnd : .badNumber, q - start) }
      exponent += negative ? -explicit : explicit
    }
    if count <= 19, let value = Decimal.double(digits, exponent) {
      return (q, p.pointee == UInt8(ascii: "-") ? -value : value)
    }
    guard let value = Decimal.slow(UnsafeRawBufferPointer(start: p, count: q - p)) else {
      throw TranscodingFault(.floatRange, p - start)
    }
    return (q, value)
  }
}
