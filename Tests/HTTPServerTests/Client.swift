import CLinux
import CMicroHTTPD
import HTTPServer

/// A blocking client on one plain socket. Every wait ends after ten seconds.
final class Client {
  struct Reply: Equatable {
    var status = 0
    var headers: [String: String] = [:]
    var body = ""
  }
  struct TimedOut: Error {}
  struct Closed: Error { let received: String }

  private var descriptor: CInt
  private var buffer: [UInt8] = []

  init(_ address: ListenAddress) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = address.port.bigEndian
    inet_pton(AF_INET, "127.0.0.1", &target.sin_addr)
    let result = withUnsafeBytes(of: &target) { bytes in
      connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
    }
    guard result == 0 else { throw Closed(received: "connect: \(clinux_errno())") }
  }

  deinit { disconnect() }

  func disconnect() {
    if descriptor >= 0 { _ = CLinux.close(descriptor) }
    descriptor = -1
  }

  /// Closes so that the peer sees a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    disconnect()
  }

  func shutdownWriting() { shutdown(descriptor, CInt(SHUT_WR)) }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// What the peer does not take is dropped: it may refuse in the middle.
  func send(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let sent = bytes[offset...].withUnsafeBytes {
        CLinux.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      offset += sent
    }
  }

  /// Receives something; false at the end of the stream.
  private func fill() throws -> Bool {
    var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&readable, 1, 10_000) == 1 else { throw TimedOut() }
    var room = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &room, room.count, 0)
    guard count > 0 else { return false }
    buffer += room[..<count]
    return true
  }

  /// Everything up to the end of the stream.
  func readToEnd() throws -> String {
    while try fill() {}
    defer { buffer = [] }
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Everything up to and with the text.
  func read(through text: String) throws -> String {
    let wanted = Array(text.utf8)
    while true {
      if let end = buffer.firstRange(of: wanted)?.upperBound {
        defer { buffer.removeFirst(end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      guard try fill() else { throw Closed(received: String(decoding: buffer, as: UTF8.self)) }
    }
  }

  private func read(_ count: Int) throws -> String {
    while buffer.count < count {
      guard try fill() else { throw Closed(received: String(decoding: buffer, as: UTF8.self)) }
    }
    defer { buffer.removeFirst(count) }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// One answer. `withoutBody`: to HEAD.
  func reply(withoutBody: Bool = false) throws -> Reply {
    var reply = try head()
    if withoutBody { return reply }
    if reply.headers["transfer-encoding"] == "chunked" {
      while true {
        let chunk = try self.chunk()
        if chunk.isEmpty { break }
        reply.body += chunk
      }
    } else if let length = reply.headers["content-length"].flatMap({ Int($0) }) {
      reply.body = try read(length)
    } else {
      reply.body = try readToEnd()
    }
    return reply
  }

  /// The status line and the headers of an answer.
  func head() throws -> Reply {
    var lines = try read(through: "\r\n\r\n").split(separator: "\r\n")
    var reply = Reply()
    reply.status = Int(lines.removeFirst().split(separator: " ")[1])!
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      reply.headers[parts[0].lowercased()] = String(parts[1].drop(while: { $0 == " " }))
    }
    return reply
  }

  /// The next chunk; empty at the end.
  func chunk() throws -> String {
    let size = Int(try read(through: "\r\n").dropLast(), radix: 16)!
    let data = try read(size)
    _ = try read(2)
    return data
  }
}

func get(_ target: String, _ more: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\(more)\r\n" }

func post(_ target: String, _ body: String, _ more: String = "") -> String {
  "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)"
}
