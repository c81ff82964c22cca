import CLinux
import Glibc

/// An answer that libmicrohttpd does not take, or would lose: to a request whose body has not arrived, and to a client that has
/// half-closed. It goes straight to the socket: this is the one place that writes past the library.
enum EarlyAnswer {
  /// Appends the answer as it goes over the wire. Headers whose value is not valid in HTTP are left out.
  static func append(
    _ head: AnswerHead, body: UnsafeRawBufferPointer, toHEAD isHead: Bool, to answer: inout ReusedBytes
  ) {
    answer.append("HTTP/1.1 \(head.status) ")
    answer.append(Daemon.reason(head.status))
    answer.append("\r\nConnection: close\r\n")
    // Of a body that these never have, no length is told (RFC 9110, 8.6).
    if head.status != 204, head.status != 304 { answer.append("Content-Length: \(body.count)\r\n") }
    if head.contentType.utf8CodeUnitCount > 0 {
      answer.append("Content-Type: ")
      answer.append(head.contentType)
      answer.append("\r\n")
    }
    for (name, value) in AnswerHead.standing {
      answer.append(name)
      answer.append(": ")
      answer.append(value)
      answer.append("\r\n")
    }
    for (name, value) in [("X-Request-Id", head.requestID)] + head.headers
    where !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      answer.append(name)
      answer.append(": ")
      answer.append(value)
      answer.append("\r\n")
    }
    answer.append("\r\n")
    if !isHead { answer.append(body) }
  }

  /// Writes what the socket takes of the answer from the offset on, and returns how much that is.
  static func write(_ answer: UnsafeRawBufferPointer, from offset: Int, to descriptor: CInt) -> Int {
    let rest = UnsafeRawBufferPointer(rebasing: answer[offset...])
    return max(0, send(descriptor, rest.baseAddress, rest.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)))
  }
}
