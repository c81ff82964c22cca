import MessagePack

/// The buffers a shard transcodes in, used again for every request.
final class TranscodingBuffers {
  /// Memory that a buffer keeps. What it grew beyond that is given back after the request that needed it, even one that was
  /// refused and left nothing in it.
  private static let kept = 1 << 20

  /// Arguments on their way to a backend, as MessagePack.
  var request = ByteBuffer(capacity: 4_096)
  /// A result on its way to a client, as JSON.
  var reply = ByteBuffer(capacity: 4_096)

  /// Forgets what the last request left.
  func clear() {
    request.removeAll(keepingUpTo: Self.kept)
    reply.removeAll(keepingUpTo: Self.kept)
  }

  /// Lends the argument and keyword frames of a call; absent ones are the empty array and the empty map.
  func withFrames<Result, Failure: Error>(
    _ frames: CallFrames, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try request.withUnsafeBytes { bytes throws(Failure) in
      try withUnsafeBytes(of: (UInt8(0x90), UInt8(0x80))) { empty throws(Failure) in
        try body(
          frames.arguments.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
            ?? UnsafeRawBufferPointer(rebasing: empty[..<1]),
          frames.keywords.map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
            ?? UnsafeRawBufferPointer(rebasing: empty[1...])
        )
      }
    }
  }
}
