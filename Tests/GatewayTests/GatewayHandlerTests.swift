import Support
import Testing

@testable import Gateway
@testable import MessagePack

@Suite("The buffers of a shard", .inTurn(minutes: 3))
struct TranscodingBuffersTests {
  /// One byte more than a buffer keeps.
  static let long = (1 << 20) + 1

  /// Grows the buffer for a document, which leaves nothing in it when it is refused.
  private func transcode(_ count: Int, refused: Bool, into buffer: inout ByteBuffer) {
    let text = #"[""# + String(repeating: "x", count: count) + (refused ? "[" : #""]"#)
    do throws(TranscodingError) {
      try Array(text.utf8).span.withUnsafeBytes { bytes throws(TranscodingError) in
        _ = try JSONToMessagePack().transcodeCall(bytes, into: &buffer)
      }
      #expect(!refused)
    } catch {
      #expect(refused)
    }
  }

  @Test("give back what a long body took, a refused one too", arguments: [false, true])
  func shrink(refused: Bool) {
    let buffers = TranscodingBuffers()
    transcode(Self.long, refused: refused, into: &buffers.request)
    #expect(buffers.request.capacity >= Self.long)
    buffers.clear()
    #expect(buffers.request.capacity <= 1 << 20)
    #expect(buffers.request.count == 0)
  }

  @Test("keep what a short body took")
  func keep() {
    let buffers = TranscodingBuffers()
    transcode(100_000, refused: false, into: &buffers.request)
    let capacity = buffers.request.capacity
    buffers.clear()
    #expect(buffers.request.capacity == capacity)
  }
}
