import MessagePack

/// Numbers in decimal digits, for what is written for each request: to make a `String` of each takes several times as long.
enum DecimalDigits {
  /// As many digits as any number has.
  static let mostDigits = 20

  /// Writes a number that is not negative at a place that has room for its digits; returns the place behind them.
  static func write(_ number: Int, to room: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
    var end = start + 1
    var rest = number.magnitude / 10
    while rest > 0 {
      end += 1
      rest /= 10
    }
    rest = number.magnitude
    var place = end
    while place > start {
      place -= 1
      room[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return end
  }
}

extension ByteBuffer {
  /// Appends a number that is not negative.
  mutating func append(decimal number: Int) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: DecimalDigits.mostDigits) { room in
      let count = DecimalDigits.write(number, to: room, at: 0)
      append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count]))
    }
  }
}
