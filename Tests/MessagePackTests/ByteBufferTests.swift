import Support
import Testing

@testable import MessagePack

@Suite("byte buffer", .inTurn(minutes: 3))
struct ByteBufferTests {
  @Test("it grows, keeps its capacity when emptied and lends ranges")
  func growth() {
    var buffer = ByteBuffer(capacity: 0)
    for byte in 0..<1_000 { buffer.append(UInt8(truncatingIfNeeded: byte)) }
    buffer.append("literal")
    buffer.append(utf8: "é")
    buffer.append(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(buffer.count == 1_009)
    #expect(buffer.withUnsafeBytes(1_000..<1_007) { Array($0) } == Array("literal".utf8))
    #expect(buffer.withUnsafeBytes { Array($0.prefix(3)) } == [0, 1, 2])
    let capacity = buffer.capacity
    buffer.removeAll()
    #expect(buffer.count == 0)
    #expect(buffer.capacity == capacity)
    buffer.removeAll(keepingUpTo: 2 * capacity)
    #expect(buffer.capacity == capacity)
    buffer.removeAll(keepingUpTo: 100)
    #expect(buffer.capacity == 100)
    buffer.append(utf8: "still good")
    #expect(buffer.count == 10)
  }

  @Test(
    "what is emptied keeps no more memory than asked, however little was written into it",
    arguments: [(1_000, 1_000, 1_000), (1_001, 1_000, 1_000), (999, 1_000, 999), (100, 0, 16)])
  func shrinks(capacity: Int, kept: Int, expected: Int) {
    var buffer = ByteBuffer(capacity: capacity)
    buffer.removeAll(keepingUpTo: kept)
    #expect(buffer.capacity == expected)
  }

  @Test(
    "headers are the shortest, and strings follow theirs",
    arguments: [
      (0, "a0", "90", "80"), (15, "af", "9f", "8f"), (16, "b0", "dc0010", "de0010"), (31, "bf", "dc001f", "de001f"),
      (32, "d920", "dc0020", "de0020"), (255, "d9ff", "dc00ff", "de00ff"), (256, "da0100", "dc0100", "de0100"),
      (65_535, "daffff", "dcffff", "deffff"), (65_536, "db00010000", "dd00010000", "df00010000"),
    ])
  func headers(count: Int, string: String, array: String, map: String) {
    func bytes(_ write: (inout ByteBuffer) -> Void) -> String {
      var buffer = ByteBuffer()
      write(&buffer)
      return hex(buffer.withUnsafeBytes { Array($0) })
    }
    let text = [UInt8](repeating: 0x61, count: count)
    #expect(
      bytes { buffer in text.withUnsafeBytes { buffer.appendString($0) } }
        == string + String(repeating: "61", count: count))
    #expect(bytes { $0.appendArrayHeader(count) } == array)
    #expect(bytes { $0.appendMapHeader(count) } == map)
  }
}
