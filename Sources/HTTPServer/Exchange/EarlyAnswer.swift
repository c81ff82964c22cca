import CLinux
import Glibc
import Logging

/// An answer that libmicrohttpd does not take: to a request whose body has not arrived. It goes straight to the socket: this is the
/// one place that writes past the library.
struct EarlyAnswer {
  private let content = ReusedBytes()

  /// The date is that of the answer, which a server with a clock tells (RFC 9110, 6.6.1).
  init(
    _ head: AnswerHead, body: UnsafeRawBufferPointer, toHEAD isHead: Bool, date: HTTPDate = .now, logger: Logger
  ) {
    content.append(text: "HTTP/1.1 \(head.status) ")
    content.append(Daemon.reason(head.status))
    content.append("\r\n")
    content.appendLine("Date", date.description)
    content.appendLine("Connection", "close" as StaticString)
    // Of a body that cannot be, no length is told (RFC 9110, 8.6).
    if head.status != 204 { content.append(text: "Content-Length: \(body.count)\r\n") }
    head.append(to: content, logger: logger)
    content.append("\r\n")
    if !isHead, head.status != 304 { content.append(body) }
  }

  /// The answer as it goes over the wire.
  var bytes: UnsafeRawBufferPointer { content.bytes }

  /// Writes it, and shuts down the sending half. The answer is short, and nothing was sent for its request yet, so there is room for it.
  /// There is none only behind earlier answers that the client does not read: then it sees the connection close before the end.
  ///
  /// What the client still sends has to be read for a while: closing with unread bytes would reset the connection, and might destroy
  /// the answer on its way.
  func write(to descriptor: CInt) {
    _ = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    shutdown(descriptor, CInt(SHUT_WR))
  }
}
