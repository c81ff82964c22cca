import Support
import Testing

@testable import ZeroMQRPC

@Suite("heads of calls and replies", .inTurn(minutes: 3))
struct HeaderTests {
  @Test("RPC-1: a request's head is aiozmq's =HHLd")
  func request() {
    var head = [UInt8](repeating: 0xEE, count: 16)
    head.withUnsafeMutableBytes { CallHeader.write(0x0102_0304, process: 0xABCD, random: 0x1234, time: 1.5, to: $0) }
    #expect(head == [0xCD, 0xAB, 0x34, 0x12, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F])
    #expect(head.withUnsafeBytes { CallHeader.readRequest($0) } == 0x0102_0304)
  }

  @Test("a reply's head has exactly 17 bytes; the last one tells an exception", arguments: [0, 1, 2, 255] as [UInt8])
  func reply(flag: UInt8) throws {
    let head: [UInt8] = [9, 9, 9, 9, 4, 3, 2, 1, 9, 9, 9, 9, 9, 9, 9, 9, flag]
    let read = try #require(head.withUnsafeBytes { CallHeader.readReply($0) })
    #expect(read.call == 0x0102_0304)
    #expect(read.isException == (flag != 0))
  }

  @Test("any other length is no head", arguments: [0, 1, 15, 16, 18, 100])
  func length(count: Int) {
    let bytes = [UInt8](repeating: 0, count: count)
    #expect(bytes.withUnsafeBytes { CallHeader.readReply($0) } == nil)
    #expect((bytes.withUnsafeBytes { CallHeader.readRequest($0) } != nil) == (count == 16))
  }
}
