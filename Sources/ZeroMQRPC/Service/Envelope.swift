import Glibc
import ZeroMQ

/// What has to go in front of a reply: the caller's identity, and those of the proxies on the way. Calls of one caller share it.
final class Envelope: Sendable {
  /// One frame behind the other.
  private let bytes: [UInt8]
  /// Where each ends.
  private let ends: [Int]

  /// None.
  init() { (bytes, ends) = ([], []) }

  /// The first frames of a message, copied; nil when they have more bytes than that.
  init?(_ message: borrowing ReceivedMessage, count: Int, atMost limit: Int) {
    var (bytes, ends): ([UInt8], [Int]) = ([], [])
    for index in 0..<count {
      guard bytes.count + message[index].count <= limit else { return nil }
      bytes += message[index]
      ends.append(bytes.count)
    }
    (self.bytes, self.ends) = (bytes, ends)
  }

  /// Whether it is made of the first frames of a message.
  func isThat(of message: borrowing ReceivedMessage, count: Int) -> Bool {
    guard ends.count == count else { return false }
    return bytes.withUnsafeBytes { bytes in
      var start = 0
      for index in 0..<count {
        let (frame, end) = (message[index], ends[index])
        guard frame.isSame(as: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) else { return false }
        start = end
      }
      return true
    }
  }

  /// The frames.
  var frames: [[UInt8]] { ends.indices.map { Array(bytes[($0 == 0 ? 0 : ends[$0 - 1])..<ends[$0]]) } }

  /// Sends a reply with the frames in front of it; as `LoopSocket.send`.
  func send(
    _ header: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, on socket: LoopSocket
  ) throws(ZMQError) -> Bool {
    let sent: Result<Bool, ZMQError> = bytes.withUnsafeBytes { bytes in
      withUnsafeTemporaryAllocation(of: UnsafeRawBufferPointer.self, capacity: ends.count + 2) { frames in
        var start = 0
        for (index, end) in ends.enumerated() {
          frames.initializeElement(at: index, to: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
          start = end
        }
        frames.initializeElement(at: ends.count, to: header)
        frames.initializeElement(at: ends.count + 1, to: body)
        return Result { () throws(ZMQError) in try socket.send(UnsafeBufferPointer(frames).span) }
      }
    }
    return try sent.get()
  }
}

extension UnsafeRawBufferPointer {
  /// The same bytes.
  func isSame(as other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let start = baseAddress, let otherStart = other.baseAddress else { return count == 0 }
    return memcmp(start, otherStart, count) == 0
  }
}
