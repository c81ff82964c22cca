import Testing

@testable import ZeroMQ

@Suite("what a stream has received")
struct ReadBufferTests {
  private static func message(_ count: Int) -> Message { Message([[UInt8](repeating: 1, count: count)]) }
  private static func buffer(high: Int, low: Int) throws -> ReadBuffer {
    ReadBuffer(try #require(BufferLimits(high: high, low: low)))
  }

  @Test("STREAM-3: receiving pauses strictly above the high mark, and goes on at the low one") func marks() throws {
    var buffer = try Self.buffer(high: 100, low: 40)
    buffer.append(Self.message(100))
    #expect(!buffer.isPaused)
    buffer.append(Self.message(41))
    #expect(buffer.isPaused)
    #expect(buffer.removeFirst()?.byteCount == 100)
    #expect(buffer.isPaused)
    #expect(buffer.byteCount == 41)
    #expect(buffer.removeFirst(atMost: 256)?.count == 1)
    #expect(!buffer.isPaused)
    #expect(buffer.byteCount == 0)
  }

  @Test("STREAM-3: what counts is the payload of all frames, and one byte for an empty message")
  func weight() throws {
    var buffer = try Self.buffer(high: 2, low: 0)
    buffer.append(Message([[], []]))
    buffer.append(Message([[]]))
    #expect(buffer.byteCount == 2)
    #expect(!buffer.isPaused)
    buffer.append(Message([[], []]))
    #expect(buffer.isPaused)
    buffer = try Self.buffer(high: 10, low: 0)
    buffer.append(["abc", "", "de"])
    #expect(buffer.byteCount == 5)
  }

  @Test("STREAM-3: with a mark of 0, receiving goes on only while somebody waits") func onDemand() throws {
    var buffer = try Self.buffer(high: 0, low: 0)
    #expect(buffer.isPaused)
    buffer.isAwaited = true
    #expect(!buffer.isPaused)
    buffer.append(Self.message(0))
    #expect(buffer.isPaused)
    #expect(buffer.removeFirst() != nil)
    #expect(buffer.isPaused)
    // One that waited and was cancelled.
    buffer.isAwaited = true
    buffer.isAwaited = false
    #expect(buffer.isPaused)
  }

  @Test("STREAM-15: limits that are set later count at once") func limits() throws {
    var buffer = try Self.buffer(high: 100, low: 10)
    buffer.append(Self.message(50))
    buffer.setLimits(try #require(BufferLimits(high: 49, low: 20)))
    #expect(buffer.isPaused)
    buffer.setLimits(try #require(BufferLimits(high: 100, low: 50)))
    #expect(!buffer.isPaused)
    buffer.setLimits(try #require(BufferLimits(high: 0, low: 0)))
    #expect(buffer.isPaused)
  }

  @Test(
    "STREAM-4: messages leave in the order they came, one by one and many at a time", arguments: [1, 255, 256, 257])
  func order(count: Int) throws {
    var buffer = ReadBuffer()
    for number in 0..<count { buffer.append(Message(number: number)) }
    #expect(buffer.removeFirst()?.number == 0)
    let rest = min(256, count - 1)
    #expect(buffer.removeFirst(atMost: 256)?.compactMap(\.number) == (rest == 0 ? nil : Array(1...rest)))
    #expect(buffer.isEmpty == (count <= 257))
    #expect(buffer.removeFirst() == nil)
    #expect(buffer.removeFirst(atMost: 1) == nil)
  }

  @Test(
    "STREAM-4: however messages came together, they leave in order, and no more at a time than are wanted",
    arguments: [0, 1, 2, 255, 256], [1, 3, 255, 256, 1_000])
  func together(ones: Int, limit: Int) throws {
    var (buffer, sent, left) = (ReadBuffer(), 0, [Int?]())
    for count in [3, 256, 1, 200, 56, 256, 256] {
      var batch = MessageBatch()
      for _ in 0..<count {
        let message = Message(number: sent)
        batch.append(message, byteCount: message.byteCount)
        sent += 1
      }
      buffer.append(batch)
    }
    // Some one by one, the others many at a time, and both again.
    while !buffer.isEmpty {
      for _ in 0..<ones { if let message = buffer.removeFirst() { left.append(message.number) } }
      let before = buffer.byteCount
      guard let batch = buffer.removeFirst(atMost: limit) else { continue }
      #expect((1...limit).contains(batch.count))
      #expect(batch.count == limit || buffer.isEmpty)
      #expect(before - buffer.byteCount == batch.reduce(0) { $0 + $1.weight })
      left += batch.map(\.number)
    }
    #expect(left == Array(0..<sent))
    #expect(buffer.byteCount == 0)
  }
}

extension ReadBuffer {
  fileprivate mutating func append(_ message: Message) {
    var batch = MessageBatch()
    batch.append(message, byteCount: message.byteCount)
    append(batch)
  }
}
