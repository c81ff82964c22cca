import CLinux
import Glibc
import Logging

/// An answer that libmicrohttpd does not take, or would lose: to a request whose body has not arrived, and to a client that has
/// half-closed. It goes straight to the socket: this is the one place that writes past the library.
final class EarlyAnswer {
  private let bytes = ReusedBytes()
  private var written = 0

  /// The answer as it goes over the wire.
  init(_ head: AnswerHead, body: UnsafeRawBufferPointer, toHEAD isHead: Bool, logger: Logger) {
    bytes.append("HTTP/1.1 \(head.status) ")
    bytes.append(Daemon.reason(head.status))
    bytes.append("\r\nConnection: close\r\n")
    // Of a body that cannot be, no length is told (RFC 9110, 8.6).
    if head.status != 204 { bytes.append("Content-Length: \(body.count)\r\n") }
    head.append(to: bytes, logger: logger)
    bytes.append("\r\n")
    if !isHead, head.status != 304 { bytes.append(body) }
  }

  /// The memory it takes, in bytes.
  var capacity: Int { bytes.capacity }

  /// What is still to be written.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes.bytes[written...]) }

  /// Writes what the socket takes now; true when that was all.
  func write(to descriptor: CInt) -> Bool {
    written += max(0, send(descriptor, rest.baseAddress, rest.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)))
    return rest.isEmpty
  }
}
