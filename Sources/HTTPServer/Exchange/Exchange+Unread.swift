import CLinux
import CMicroHTTPD

/// Answering a request whose body has not arrived. libmicrohttpd takes no answer then, so it goes straight to the socket.
extension Exchange {
  /// Writes the answer and closes our half; what the client still sends is thrown away for a while, because closing with
  /// unread bytes would reset the connection and might destroy the answer on its way.
  func respondUnread(
    _ status: Int, _ contentType: StaticString, _ headers: [(StaticString, String)], _ body: UnsafeRawBufferPointer
  ) {
    phase = .lingering
    writeHead(status, contentType, headers, length: body.count)
    if let bytes = body.baseAddress, method != .head { answer.append(bytes, body.count) }
    let bytes = answer.bytes
    // Nothing was sent for this request yet, so the socket's buffer has room for a short answer.
    _ = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    shutdown(descriptor, CInt(SHUT_WR))
    watcher?.expect(within: server.graceTime)
  }

  private func writeHead(
    _ status: Int, _ contentType: StaticString, _ headers: [(StaticString, String)], length: Int
  ) {
    answer.clear()
    answer.append("HTTP/1.1 \(status) ")
    if let reason = MHD_get_reason_phrase_for(UInt32(clamping: status)) { answer.append(reason, strlen(reason)) }
    answer.append("\r\nConnection: close\r\nContent-Length: \(length)\r\n")
    if contentType.utf8CodeUnitCount > 0 {
      answer.append("Content-Type: ")
      answer.append(contentType)
      answer.append("\r\n")
    }
    for (name, value) in headers where !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
      answer.append(name)
      answer.append(": ")
      answer.append(value)
      answer.append("\r\n")
    }
    answer.append("\r\n")
  }
}
