import Testing

@testable import MessagePack

@Suite("byte buffer", .timeLimit(.minutes(1)))
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

  @Test("each primitive writes its shortest form")
  func primitives() {
    var buffer = ByteBuffer()
    buffer.appendNil()
    buffer.appendBool(true)
    buffer.appendBool(false)
    buffer.appendInteger(Int64(-1))
    buffer.appendInteger(UInt64.max)
    buffer.appendDouble(1.5)
    buffer.appendString("é")
    [1, 2].withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      buffer.appendBinary(UnsafeRawBufferPointer(rebasing: bytes[..<1]))
      buffer.appendExtension(code: -2, UnsafeRawBufferPointer(rebasing: bytes[..<1]))
    }
    buffer.appendArrayHeader(16)
    buffer.appendMapHeader(65_536)
    let expected = "c0c3c2ffcfffffffffffffffffcb3ff8000000000000a2c3a9c40101d4fe01dc0010df00010000"
    #expect(hex(buffer.withUnsafeBytes { Array($0) }) == expected)
  }
}
