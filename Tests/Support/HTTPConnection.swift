import Glibc

/// One plain connection to a server on this machine. Its calls block; each wait ends with the patience of a test.
public final class HTTPConnection: @unchecked Sendable {
  // Safe: a test uses a connection from one task at a time.
  private var descriptor: CInt
  private var buffer: [UInt8] = []

  /// The server closed the connection before the answer was complete.
  public struct Closed: Error { public let received: String }

  /// Connects. A small receive buffer makes a slow reader of who does not read.
  public init(port: UInt16, receiveBuffer: CInt? = nil) throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
    }
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    inet_pton(AF_INET, "127.0.0.1", &target.sin_addr)
    let result = withUnsafeBytes(of: &target) { bytes in
      connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
    }
    guard result == 0 else {
      disconnect()
      throw Closed(received: "connect: \(String(cString: strerror(errno)))")
    }
  }

  deinit { disconnect() }

  /// Closes the connection.
  public func disconnect() {
    if descriptor >= 0 { _ = close(descriptor) }
    descriptor = -1
  }

  /// Closes so that the server sees a reset.
  public func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    disconnect()
  }

  /// As if the machine were cut off: nothing that comes is seen or answered any more.
  public func vanish() {
    // A program for the socket (linux/filter.h, which Glibc does not import) that keeps no byte of any packet: BPF_RET | BPF_K, 0.
    var nothing: (code: UInt16, jumps: UInt16, value: UInt32) = (0x06, 0, 0)
    withUnsafeMutableBytes(of: &nothing) { nothing in
      var program = (count: UInt16(1), instructions: nothing.baseAddress)
      let attachFilter: CInt = 26
      setsockopt(
        descriptor, SOL_SOCKET, attachFilter, &program, socklen_t(MemoryLayout.size(ofValue: program)))
    }
  }

  /// Shuts down the sending half.
  public func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

  /// Sends a request's head and body. What the server does not take is dropped: it may refuse in the middle.
  public func send(
    _ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8]? = nil
  ) {
    var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\n"
    if let body { head += "Content-Length: \(body.count)\r\n" }
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
    send(Array((head + "\r\n").utf8) + (body ?? []))
  }

  /// Sends text as it is.
  public func send(_ text: String) { send(Array(text.utf8)) }

  /// Sends bytes as they are. What the server does not take is dropped: it may refuse in the middle.
  public func send(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let sent = bytes[offset...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      offset += sent
    }
  }

  /// One answer; `isHead` when its body is left out.
  public func reply(isHead: Bool = false) throws -> HTTPReply {
    var reply = try head()
    if isHead || reply.status == 204 || reply.status == 304 { return reply }
    if reply.headers["transfer-encoding"] == "chunked" {
      while let chunk = try chunk() { reply.bytes += chunk }
    } else if let length = reply.headers["content-length"].flatMap({ Int($0) }) {
      reply.bytes = try take(length)
    } else {
      reply.bytes = try takeToEnd()
    }
    return reply
  }

  /// The status line and the headers of an answer.
  public func head() throws -> HTTPReply {
    var lines = try take(through: "\r\n\r\n").split(separator: "\r\n")
    var reply = HTTPReply()
    reply.status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      let (name, value) = (parts[0].lowercased(), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
      reply.headers[name] = reply.headers[name].map { "\($0)\n\(value)" } ?? value
    }
    return reply
  }

  /// The next chunk; nil at the end of the body.
  public func chunk() throws -> [UInt8]? {
    let line = try take(through: "\r\n").dropLast()
    guard let size = Int(line, radix: 16) else { throw Closed(received: String(line)) }
    let data = try take(size)
    _ = try take(2)
    return size == 0 ? nil : data
  }

  /// The next chunk as text; empty at the end of the body.
  public func chunkText() throws -> String { String(decoding: try chunk() ?? [], as: UTF8.self) }

  /// Everything up to and with the text.
  public func read(through text: String) throws -> String { try take(through: text) }

  /// That many bytes.
  public func read(count: Int) throws -> [UInt8] { try take(count) }

  /// Takes that many bytes from the kernel, not one more, and drops them. False when there were fewer.
  public func drop(count: Int) throws -> Bool {
    var room = [UInt8](repeating: 0, count: min(count, 64 << 10))
    var left = count
    while left > 0 {
      try waitForBytes(at: descriptor, or: "the server sends nothing")
      let taken = recv(descriptor, &room, min(left, room.count), 0)
      guard taken > 0 else { return false }
      left -= taken
    }
    return true
  }

  /// Everything until the server closes.
  public func readToEnd() throws -> String { String(decoding: try takeToEnd(), as: UTF8.self) }

  /// Whether the server closes without another byte.
  public func isAtEnd() throws -> Bool { try buffer.isEmpty && !fill() }

  /// Receives something; false at the end.
  private func fill() throws -> Bool {
    try waitForBytes(at: descriptor, or: "the server sends nothing")
    var room = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &room, room.count, 0)
    guard count > 0 else { return false }
    buffer += room[..<count]
    return true
  }

  private func takeToEnd() throws -> [UInt8] {
    while try fill() {}
    defer { buffer = [] }
    return buffer
  }

  private func take(through text: String) throws -> String {
    let wanted = Array(text.utf8)
    while true {
      if let end = buffer.firstRange(of: wanted)?.upperBound {
        defer { buffer.removeFirst(end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      guard try fill() else { throw Closed(received: String(decoding: buffer, as: UTF8.self)) }
    }
  }

  private func take(_ count: Int) throws -> [UInt8] {
    while buffer.count < count {
      guard try fill() else { throw Closed(received: String(decoding: buffer, as: UTF8.self)) }
    }
    defer { buffer.removeFirst(count) }
    return Array(buffer[..<count])
  }
}
