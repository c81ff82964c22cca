import CGnuTLS

/// Speaks TLS to a server, over a socket that blocks, or waits for as long as it was told to (`SO_RCVTIMEO`). Confined to one thread.
public final class TLSClient {
  /// Whose certificate is taken for good.
  public enum Trust: Hashable, Sendable {
    /// Whoever answers: for what asks whether one's own server lives, and tells it nothing.
    case anyone
    /// A host, a name or an address, whose certificate names it and is of an authority in that file of PEM, or without one of those that the
    /// system trusts (RFC 9110, 4.3.4).
    case host(String, authorities: String?)
  }

  private let raw: OpaquePointer

  /// Goes through the handshake. The socket is the caller's, and is closed after this is gone. Throws why there is no connection.
  public init(over descriptor: CInt, trusting trust: Trust) throws(HTTPServerError) {
    let (host, authorities): (String?, String?) =
      switch trust {
      case .anyone: (nil, nil)
      case .host(let name, let file): (name, file)
      }
    guard let raw = cgnutls_ask(descriptor, host, authorities) else {
      let what = authorities.map { "no certificate of an authority could be read from \($0)" }
      throw HTTPServerError(call: "TLS", message: what ?? "the authorities that the system trusts cannot be read")
    }
    self.raw = raw
    guard cgnutls_handshake(raw) == 0 else {
      let reason = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
        cgnutls_reason(raw, room.baseAddress, room.count)
        return String(decoding: room.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw HTTPServerError(call: "TLS", message: reason)
    }
  }

  deinit { cgnutls_close(raw) }

  /// Sends at most 16 KiB; returns how many bytes, or less than 0.
  public func send(_ bytes: UnsafeRawBufferPointer) -> Int { cgnutls_send(raw, bytes.baseAddress, bytes.count) }

  /// Receives what there is; 0 at the end, and less when that does not come as it should.
  public func receive(into room: UnsafeMutableRawBufferPointer) -> Int {
    cgnutls_receive(raw, room.baseAddress, room.count)
  }
}
