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
}
