import CLinux
import Glibc

/// An answer that libmicrohttpd does not take, or would lose: to a request whose body has not arrived, and to a client that has
/// half-closed. It goes straight to the socket: this is the one place that writes past the library.
struct EarlyAnswer: ~Copyable {
  private var bytes = ReusedBytes()
  private var written = 0

  /// The answer as it goes over the wire. Headers whose value is not valid in HTTP are left out.
  init(_ head: AnswerHead, body: UnsafeRawBufferPointer, toHEAD isHead: Bool) {
    bytes.append("HTTP/1.1 \(head.status) ")
    bytes.append(Daemon.reason(head.status))
    bytes.append("\r\nConnection: close\r\n")
    // Of a body that these never have, no length is told (RFC 9110, 8.6).
    if head.status != 204, head.status != 304 { append("Content-Length", "\(body.count)") }
    if head.contentType.utf8CodeUnitCount > 0 { append("Content-Type", "\(head.contentType)") }
    for (name, value) in AnswerHead.standing { append(name, "\(value)") }
    append("X-Request-Id", head.requestID)
    for (name, value) in head.headers { append(name, value) }
    bytes.append("\r\n")
    if !isHead { bytes.append(body) }
  }

  private mutating func append(_ name: StaticString, _ value: String) {
    guard !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return }
    bytes.append(name)
    bytes.append(": ")
    bytes.append(value)
    bytes.append("\r\n")
  }

  /// The memory it takes, in bytes.
  var capacity: Int { bytes.capacity }

  /// What is still to be written.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes.bytes[written...]) }

  /// Writes what the socket takes now; true when that was all.
  mutating func write(to descriptor: CInt) -> Bool {
    written += max(0, send(descriptor, rest.baseAddress, rest.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)))
    return rest.isEmpty
  }
}
