import CLinux
import Glibc

/// An answer to a request whose body has not arrived. libmicrohttpd takes no answer then, so it goes straight to the socket:
/// this is the one place that writes past the library.
enum EarlyAnswer {
  /// Appends the answer as it goes over the wire. Headers whose value is not valid in HTTP are left out.
  static func append(
    _ head: AnswerHead, body: UnsafeRawBufferPointer, toHEAD isHead: Bool, to answer: inout ReusedBytes
  ) {
    answer.append("HTTP/1.1 \(head.status) ")
    answer.append(Daemon.reason(head.status))
    answer.append("\r\nConnection: close\r\nContent-Length: \(body.count)\r\n")
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

  /// Writes the answer and closes our half. What the client still sends has to be read for a while: closing with unread bytes
  /// would reset the connection, and might destroy the answer on its way.
  static func write(_ answer: UnsafeRawBufferPointer, to descriptor: CInt) {
    // Nothing was sent for this request yet, so the socket's buffer has room for a short answer. It has none only behind
    // earlier answers that the client does not read: then the client sees the connection close within this one, or before it.
    _ = send(descriptor, answer.baseAddress, answer.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    shutdown(descriptor, CInt(SHUT_WR))
  }
}
