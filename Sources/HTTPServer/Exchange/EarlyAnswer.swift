import CLinux
import Glibc
import Logging

/// An answer that libmicrohttpd does not take, or would lose: to a request whose body has not arrived, and to a client that has
/// half-closed. It goes straight to the socket: this is the one place that writes past the library.
final class EarlyAnswer {
  private let bytes = ReusedBytes()
  /// A body that was not copied, and who keeps it.
  private let keptBody: (bytes: UnsafeRawBufferPointer, owner: AnyObject)?
  private var written = 0

  /// The answer as it goes over the wire. The body is copied, unless an owner keeps it.
  init(
    _ head: AnswerHead, body: UnsafeRawBufferPointer, keptBy owner: AnyObject?, toHEAD isHead: Bool, logger: Logger
  ) {
    let hasBody = !isHead && head.status != 304
    keptBody = hasBody ? owner.map { (body, $0) } : nil
    bytes.append("HTTP/1.1 \(head.status) ")
    bytes.append(Daemon.reason(head.status))
    bytes.append("\r\nConnection: close\r\n")
    // Of a body that cannot be, no length is told (RFC 9110, 8.6).
    if head.status != 204 { bytes.append("Content-Length: \(body.count)\r\n") }
    head.append(to: bytes, logger: logger)
    bytes.append("\r\n")
    if hasBody, owner == nil { bytes.append(body) }
  }

  /// The memory it takes, in bytes.
  var capacity: Int { bytes.capacity + (keptBody?.bytes.count ?? 0) }

  /// What is still to be written, or the first part of it: a body that was not copied is a part of its own.
  var rest: UnsafeRawBufferPointer {
    if written < bytes.count { return UnsafeRawBufferPointer(rebasing: bytes.bytes[written...]) }
    guard let keptBody else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: keptBody.bytes[(written - bytes.count)...])
  }

  /// Writes what the socket takes now; true when that was all.
  func write(to descriptor: CInt) -> Bool {
    // A part that is not taken whole leaves no room for the next.
    for _ in 0..<2 where !rest.isEmpty {
      written += max(0, send(descriptor, rest.baseAddress, rest.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)))
    }
    return rest.isEmpty
  }
}
