/// Numbers as JSON text, written at a raw position.
enum JSONNumber {
  private static let pairs: StaticString =
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  /// Writes at most 20 digits and gives the position behind them.
  @inline(__always) static func write(
    _ value: UInt64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    if value < 10 {
      out.pointee = 0x30 | UInt8(truncatingIfNeeded: value)
      return out + 1
    }
    return long(value, out)
  }

  @inline(never) private static func long(
    _ value: UInt64, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    // 1233 / 4096 is log10(2): the guess is one too small at most.
    let guess = ((64 &- value.leadingZeroBitCount) &* 1233) &>> 12
    let length = guess &+ (value >= Decimal.integers[guess] ? 1 : 0)
    digits(value, length, out)
    return out + length
  }

  /// Writes exactly `length` digits, with leading zeros.
  @inline(__always) private static func digits(
    _ value: UInt64, _ length: Int, _ out: UnsafeMutablePointer<UInt8>
  ) {
    let table = UnsafeRawPointer(pairs.utf8Start)
    var value = value
    var at = length
    while at >= 2 {
      let (rest, pair) = value.quotientAndRemainder(dividingBy: 100)
      at &-= 2
      ByteWord.store(table.loadUnaligned(fromByteOffset: Int(pair) &* 2, as: UInt16.self), out + at)
      value = rest
    }
    if at == 1 { out.pointee = 0x30 | UInt8(truncatingIfNeeded: value) }
  }

  /// Writes a finite double as the shortest text that reads back the same, always with a point or an exponent; at most
  /// 25 bytes.
  @inline(never) static func write(
    _ value: Double, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8> {
    let size = value.magnitude
    if size < 1e15, size >= 1e-4 || size == 0, let end = short(value, size, out) { return end }
    var out = out
    var text = value.description
    text.withUTF8 { utf8 in
      for byte in utf8 {
        out.pointee = byte
        out += 1
      }
    }
    return out
  }

  /// Numbers of up to 15 digits with few decimals, which is most of them.
  ///
  /// `digits / 10^n` is one exact division, as a reader of the text performs it: when it gives the value back, the text
  /// does too. Two texts of up to 15 digits never mean the same double, so the first `n` that fits is the shortest.
  @inline(__always) private static func short(
    _ value: Double, _ size: Double, _ out: UnsafeMutablePointer<UInt8>
  ) -> UnsafeMutablePointer<UInt8>? {
    var decimals = 0
    var scaled = size
    var whole = Int64(scaled)
    while Double(whole) / Decimal.doubles[decimals] != size {
      decimals &+= 1
      scaled = size * Decimal.doubles[decimals]
      if decimals > 6 || scaled >= 1e15 { return nil }
      whole = Int64(scaled + 0.5)
    }
    var out = out
    if value.sign == .minus {
      out.pointee = UInt8(ascii: "-")
      out += 1
    }
    let shown = max(decimals, 1)
    let (integral, fraction) =
      decimals == 0
      ? (UInt64(whole), 0) : UInt64(whole).quotientAndRemainder(dividingBy: Decimal.integers[decimals])
    out = write(integral, out)
    out.pointee = UInt8(ascii: ".")
    digits(fraction, shown, out + 1)
    return out + 1 + shown
  }
}
