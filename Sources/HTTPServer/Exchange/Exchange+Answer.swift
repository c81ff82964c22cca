import CMicroHTTPD
import Logging

/// Answering.
extension Exchange {
  /// Answers with bytes, which are copied. Called inside a handler's call or later, once; when the client is gone, or an
  /// answer was given before, it does nothing. Answered before the body was read, the connection closes after it.
  public func respond(
    _ status: Int, contentType: StaticString, headers: [(StaticString, String)] = [], body: UnsafeRawBufferPointer
  ) {
    switch phase {
    case .handling: break
    // A client that waits for 100 Continue has sent no body yet, and must not be told to go on.
    case .head where !announcesBody || table.count(.expect) > 0: break
    case .head, .body: return respondUnread(status, contentType, headers, body)
    default: return
    }
    answer.clear()
    if let bytes = body.baseAddress { answer.append(bytes, body.count) }
    let bytes = answer.bytes
    // An empty buffer still needs an address.
    queue(status, cmhd_bytes(bytes.baseAddress ?? UnsafeRawPointer(table.slots), bytes.count), contentType, headers)
  }

  /// Answers with a stream. To HEAD goes the same head and no body; the stream is closed at once.
  public func respond(
    _ status: Int, contentType: StaticString, headers: [(StaticString, String)] = [], stream: any BodyStream
  ) {
    guard phase == .handling, method != .head else {
      respond(status, contentType: contentType, headers: headers, body: UnsafeRawBufferPointer(start: nil, count: 0))
      return stream.closed()
    }
    self.stream = stream
    // Who sends no more when a stream begins has left, as one who stops in its middle.
    if watcher?.isHalfClosed == true {
      phase = .answered
      return drop()
    }
    queue(status, cmhd_stream(readStream, Unmanaged.passUnretained(self).toOpaque()), contentType, headers)
  }

  /// Says that the stream has something again. Any number of calls before the stream is read make one.
  public func wake() {
    wasWoken = true
    guard phase == .answered, stream != nil, !isReading else { return }
    resume()
  }

  private func queue(
    _ status: Int, _ response: OpaquePointer?, _ contentType: StaticString, _ headers: [(StaticString, String)]
  ) {
    phase = .answered
    guard let response else { return drop() }
    if contentType.utf8CodeUnitCount > 0 { add("Content-Type", contentType.utf8Start, response) }
    for (name, value) in headers {
      value.withCString { text in
        if !add(name, text, response) {
          server.logger.info("response header dropped: not valid in HTTP", metadata: ["name": "\(name)"])
        }
      }
    }
    if server.isQuiesced { add("Connection", ("close" as StaticString).utf8Start, response) }
    guard cmhd_queue(connection, UInt32(clamping: status), response) != 0 else {
      server.logger.info("libmicrohttpd took no answer", metadata: ["status": "\(status)"])
      return drop()
    }
    resume()
  }

  @discardableResult
  private func add(_ name: StaticString, _ value: UnsafeRawPointer, _ response: OpaquePointer) -> Bool {
    cmhd_add_header(response, name.utf8Start, value) != 0
  }
}
