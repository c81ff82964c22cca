import Glibc
import Reactor

/// A request that is sent over one connection again and again, each time when the one before was answered. Blocks the calling thread.
struct KeptConnection {
  /// Nobody answered, or not with HTTP.
  struct Broken: Error {}

  private let descriptor: CInt
  private var buffer: [UInt8] = []

  init(_ descriptor: CInt) { self.descriptor = descriptor }

  /// Sends the request and returns the status of its answer, which is waited for until that time of the monotonic clock; throws `Broken`
  /// when the connection is of no more use.
  mutating func send(_ request: [UInt8], until closing: Int64) throws(Broken) -> Int {
    var sent = 0
    while sent < request.count {
      let count = request[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Broken() }
      sent += count
    }
    var head: (status: Int, end: Int, length: Int)?
    while true {
      head = head ?? Self.head(buffer)
      if let head, buffer.count >= head.end + head.length {
        buffer.removeFirst(head.end + head.length)
        return head.status
      }
      try receive(until: closing)
    }
  }

  private mutating func receive(until closing: Int64) throws(Broken) {
    var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    let left = max(0, closing - Instant.monotonic().nanoseconds) / 1_000_000
    guard poll(&readable, 1, CInt(min(left, 3_600_000))) == 1 else { throw Broken() }
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    let count = recv(descriptor, &piece, piece.count, 0)
    guard count > 0 else { throw Broken() }
    buffer += piece[..<count]
  }

  /// The status of an answer, where its head ends, and how long its body is; nil while the head is not complete.
  private static func head(_ bytes: [UInt8]) -> (status: Int, end: Int, length: Int)? {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let length = lines.first { $0.lowercased().hasPrefix("content-length:") }
      .flatMap { Int($0.drop { $0 != ":" }.dropFirst().filter { $0 != " " }) }
    return (status, end.upperBound, length ?? 0)
  }
}

extension GatewayURL {
  /// A POST of JSON to a gateway, for a connection that is kept.
  func request(_ path: String, body: [UInt8]) -> [UInt8] {
    var text = "POST \(prefix)\(path) HTTP/1.1\r\nHost: \(authority)\r\nContent-Type: application/json\r\n"
    if let key = HTTPRequest.key { text += "Authorization: Bearer \(key)\r\n" }
    return Array("\(text)Content-Length: \(body.count)\r\n\r\n".utf8) + body
  }
}
