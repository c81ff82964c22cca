/// Decimal digits to the nearest double (IEEE 754, ties to even).
enum Decimal {
  /// 10^0 ... 10^19: every power of ten that fits 64 bits.
  static let integers: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]
  /// 10^0 ... 10^22: every power of ten that a double holds exactly.
  static let doubles: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
  ]

  /// `digits` × 10^`exponent`, correctly rounded, or nil outside the range where 128 bits decide it.
  @inline(__always) static func double(_ digits: UInt64, _ exponent: Int) -> Double? {
    if digits <= 1 << 53, exponent >= -22, exponent <= 22 {
      // Both operands are exact, so the one rounding of the operation is the only one.
      return exponent < 0
        ? Double(Int64(bitPattern: digits)) / doubles[-exponent]
        : Double(Int64(bitPattern: digits)) * doubles[exponent]
    }
    return wide(digits, exponent)
  }

  @inline(never) private static func wide(_ digits: UInt64, _ exponent: Int) -> Double? {
    guard digits != 0 else { return 0 }
    guard exponent >= -19, exponent <= 19 else { return nil }
    let top: UInt64
    let scale: Int
    if exponent >= 0 {
      let (high, low) = digits.multipliedFullWidth(by: integers[exponent])
      if high == 0 { return Double(low) }
      let shift = high.leadingZeroBitCount
      let joined = shift == 0 ? high : high << UInt64(shift) | low >> UInt64(64 - shift)
      top = joined | (low << UInt64(shift) != 0 ? 1 : 0)
      scale = 64 - shift
    } else {
      let divisor = integers[-exponent]
      let (shift, divisorShift) = (digits.leadingZeroBitCount, divisor.leadingZeroBitCount)
      let dividend = digits << UInt64(shift)
      let (quotient, rest) = (divisor << UInt64(divisorShift)).dividingFullWidth((dividend >> 1, dividend << 63))
      top = quotient | (rest != 0 ? 1 : 0)
      scale = divisorShift - shift - 63
    }
    // The lowest bit says "and something more": it lies below the rounding position, so this rounds only once.
    return Double(top) * Double(bitPattern: UInt64(1023 + scale) << 52)
  }

  /// The nearest double to a JSON number of any length, by the standard library, which reads as the C locale does. Nil when that is
  /// infinite, or zero though the number is not.
  ///
  /// 770 digits decide every double; a longer number is cut there, and a final 1 stands for a rest that is not zero.
  @inline(never) static func slow(_ number: UnsafeRawBufferPointer) -> Double? {
    let kept = 770
    var digits: [UInt8] = []
    var (exponent, explicit, at) = (0, 0, 0)
    var (fraction, rest, negativeExponent) = (false, false, false)
    let negative = number.first == UInt8(ascii: "-")
    if negative { at = 1 }
    while at < number.count, number[at] | 0x20 != UInt8(ascii: "e") {
      let byte = number[at]
      at += 1
      if byte == UInt8(ascii: ".") {
        fraction = true
        continue
      }
      if fraction { exponent -= 1 }
      if digits.isEmpty, byte == UInt8(ascii: "0") { continue }
      if digits.count < kept {
        digits.append(byte)
      } else {
        exponent += 1
        rest = rest || byte != UInt8(ascii: "0")
      }
    }
    while at + 1 < number.count {
      at += 1
      if number[at] == UInt8(ascii: "-") { negativeExponent = true }
      // Documents are far shorter than 10^12 bytes, so no digits can bring such an exponent back into range.
      if number[at] >= UInt8(ascii: "0"), explicit < 1_000_000_000_000 {
        explicit = explicit * 10 + Int(number[at] - UInt8(ascii: "0"))
      }
    }
    exponent += negativeExponent ? -explicit : explicit
    if rest {
      digits.append(UInt8(ascii: "1"))
      exponent -= 1
    }
    if digits.isEmpty { return negative ? -0.0 : 0 }
    let text = "\(String(decoding: digits, as: UTF8.self))e\(max(-100_000, min(100_000, exponent)))"
    guard let value = Double(text), value.isFinite, value != 0 else { return nil }
    return negative ? -value : value
  }
}
