import MessagePack
import Support
import Testing

@testable import Gateway

@Suite("A number in decimal digits", .inTurn(minutes: 3))
struct DecimalDigitsTests {
  @Test("is what it is as text", arguments: [0, 1, 9, 10, 99, 100, 999, 1_000, 65_535, 1_000_000_007, .max - 1, .max])
  func digits(number: Int) {
    var buffer = ByteBuffer(capacity: 16)
    buffer.append("=")
    buffer.append(decimal: number)
    #expect(buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == "=\(number)")
  }
}
