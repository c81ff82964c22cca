import CLinux
import Glibc
import Reactor

/// One socket of a connection: what it was last known to be ready for, which is reported when it changes.
final class SocketSide: Source {
  let descriptor: CInt
  var isReadable = true
  var isWritable = true
  private var watch: Watch?
  private let saw: (PollEvents) -> Void
  private let hasMore: () -> Bool

  init(
    _ descriptor: CInt, on loop: Loop, _ saw: @escaping (PollEvents) -> Void, isReady: @escaping () -> Bool
  ) throws(ReactorError) {
    self.descriptor = descriptor
    self.saw = saw
    hasMore = isReady
    watch = try loop.watch(descriptor, for: [.readable, .writable, .peerClosed, .edge], self)
  }

  func cancel() {
    watch?.cancel()
    watch = nil
  }

  /// Throws away what comes after a handshake that failed.
  func discard(into room: UnsafeMutableRawBufferPointer) -> TLSSession.Received {
    let count = recv(descriptor, room.baseAddress, room.count, CInt(MSG_DONTWAIT))
    if count > 0 { return .bytes(count) }
    return count == 0 ? .end : errno == EAGAIN || errno == EINTR ? .waits : .broken
  }

  func turn(_ events: PollEvents) {
    if !events.isDisjoint(with: [.readable, .peerClosed, .hangUp, .failed]) { isReadable = true }
    if !events.isDisjoint(with: [.writable, .hangUp, .failed]) { isWritable = true }
    saw(events)
  }

  func isReady() -> Bool { hasMore() }
}
