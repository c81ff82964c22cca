import CGnuTLS

/// Speaks TLS to a server, whoever that is: no certificate is looked at. For what asks whether one's own server lives, and tells it nothing.
public final class UnverifiedTLS {
  private let raw: OpaquePointer

  /// Goes through the handshake, over a socket that blocks, or waits for as long as it was told to (`SO_RCVTIMEO`); nil when that fails.
  /// The socket is the caller's, and is closed after this is gone.
  public init?(over descriptor: CInt) {
    guard let raw = cgnutls_ask(descriptor) else { return nil }
    self.raw = raw
    guard cgnutls_handshake(raw) == 0 else { return nil }
  }

  deinit { cgnutls_close(raw) }

  /// Sends at most 16 KiB; returns how many bytes, or less than 0.
  public func send(_ bytes: UnsafeRawBufferPointer) -> Int { cgnutls_send(raw, bytes.baseAddress, bytes.count) }

  /// Receives what there is; 0 at the end, and less when that does not come as it should.
  public func receive(into room: UnsafeMutableRawBufferPointer) -> Int {
    cgnutls_receive(raw, room.baseAddress, room.count)
  }
}
