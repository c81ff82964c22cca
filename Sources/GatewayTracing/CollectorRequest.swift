import CLinux
import Glibc
import Reactor

/// Where a collector takes spans: `http://host:port/path`. Without a port it is 4318, without a path `/v1/traces` (OTLP/HTTP).
package struct CollectorAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address, IPv6 without brackets.
  package let host: String
  package let port: UInt16
  package let path: String

  /// Why a text is none.
  package struct Fault: Error, CustomStringConvertible {
    package let description: String
  }

  /// That of a collector on this machine.
  package static let usual = CollectorAddress(host: "127.0.0.1", port: 4_318, path: "/v1/traces")

  private init(host: String, port: UInt16, path: String) { (self.host, self.port, self.path) = (host, port, path) }

  package init(_ text: String) throws(Fault) {
    guard !text.hasPrefix("https://") else {
      throw Fault(
        description:
          "spans are sent without TLS; have a collector on this machine or network take them by http, and pass them on")
    }
    guard text.hasPrefix("http://"), text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
      throw Fault(description: "\"\(text)\" is no address of a collector; write http://127.0.0.1:4318/v1/traces")
    }
    let rest = text.dropFirst(7)
    let end = rest.firstIndex(of: "/") ?? rest.endIndex
    var authority = rest[..<end]
    var port: UInt16? = 4_318
    let bracket = authority.lastIndex(of: "]")
    if let colon = authority.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
      port = UInt16(authority[authority.index(after: colon)...])
      authority = authority[..<colon]
    }
    let isBracketed = authority.first == "[" && authority.last == "]"
    if isBracketed { authority = authority.dropFirst().dropLast() }
    guard let port, port > 0, !authority.isEmpty, !authority.contains(where: { "@[]".contains($0) }),
      isBracketed == authority.contains(":")
    else {
      throw Fault(
        description: "\"\(text)\" has no host, or no port from 1 to 65535; an IPv6 address goes in brackets")
    }
    self.init(
      host: String(authority), port: port, path: end == rest.endIndex ? Self.usual.path : String(rest[end...]))
  }

  package var description: String { "http://\(authority)\(path)" }

  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// One attempt to have a collector take spans, on a connection of its own. It blocks its thread, within its time; only looking up a name may
/// take as long as the system lets it.
struct CollectorRequest {
  enum Outcome: Equatable {
    case taken
    /// It is not to be sent again.
    case refused
    /// Nobody has taken it, or not now; the collector may say when.
    case failed(retryAfter: Duration?)
  }

  private let address: CollectorAddress
  private let bytes: [UInt8]

  /// More of an answer is not read.
  private static let longestHead = 16 << 10

  init(_ address: CollectorAddress, _ headers: [String: String], _ body: [UInt8]) {
    self.address = address
    var head = "POST \(address.path) HTTP/1.1\r\nHost: \(address.authority)\r\nContent-Type: application/json\r\n"
    head += "Content-Length: \(body.count)\r\nConnection: close\r\n"
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
    bytes = Array((head + "\r\n").utf8) + body
  }

  func send(within time: Duration) -> Outcome {
    let end = Instant.monotonic() + time
    guard let descriptor = connect(until: end) else { return .failed(retryAfter: nil) }
    defer { close(descriptor) }
    // One that refuses may answer and close before it has read all.
    _ = write(to: descriptor, until: end)
    guard let head = read(from: descriptor, until: end) else { return .failed(retryAfter: nil) }
    return Self.outcome(head)
  }

  /// What an answer means (OTLP 1.x, "OTLP/HTTP response"): some statuses ask to try again, all others do not.
  static func outcome(_ head: String) -> Outcome {
    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
    let parts = lines.first?.split(separator: " ") ?? []
    guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
      return .failed(retryAfter: nil)
    }
    switch status {
    case 200..<300: return .taken
    case 429, 502, 503, 504:
      let line = lines.dropFirst().first { $0.lowercased().hasPrefix("retry-after:") }
      let seconds = line.flatMap { UInt32($0.dropFirst(12).filter { $0 != " " }) }
      return .failed(retryAfter: seconds.map { .seconds(Int64($0)) })
    default: return .refused
    }
  }

  private func connect(until end: Instant) -> CInt? {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address.host, "\(address.port)", &hints, &found) == 0 else { return nil }
    defer { freeaddrinfo(found) }
    var next = found
    while let candidate = next {
      if let descriptor = connect(candidate.pointee, until: end) { return descriptor }
      next = candidate.pointee.ai_next
    }
    return nil
  }

  private func connect(_ candidate: addrinfo, until end: Instant) -> CInt? {
    let kind = candidate.ai_socktype | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(candidate.ai_family, kind, candidate.ai_protocol)
    guard descriptor >= 0 else { return nil }
    if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) != 0 {
      var (error, size) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
      guard errno == EINPROGRESS, Self.wait(descriptor, POLLOUT, until: end),
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error == 0
      else {
        close(descriptor)
        return nil
      }
    }
    return descriptor
  }

  private func write(to descriptor: CInt, until end: Instant) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno == EAGAIN {
        guard Self.wait(descriptor, POLLOUT, until: end) else { return false }
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// The head of the answer; nil when none comes.
  private func read(from descriptor: CInt, until end: Instant) -> String? {
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4 << 10)
    while answer.count < Self.longestHead {
      let count = recv(descriptor, &piece, piece.count, 0)
      if count > 0 {
        answer += piece[..<count]
        let text = String(decoding: answer, as: UTF8.self)
        if let end = text.firstRange(of: "\r\n\r\n") { return String(text[..<end.lowerBound]) }
      } else if count < 0, errno == EAGAIN {
        guard Self.wait(descriptor, POLLIN, until: end) else { return nil }
      } else if count == 0 || errno != EINTR {
        return nil
      }
    }
    return nil
  }

  private static func wait(_ descriptor: CInt, _ events: CInt, until end: Instant) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
      let left = (end - .monotonic()).millisecondsRoundedUp
      guard left > 0 else { return false }
      let ready = poll(&entry, 1, CInt(clamping: left))
      if ready > 0 { return true }
      if ready == 0 || errno != EINTR { return false }
    }
  }
}

/// Has the thread wait, which is no reactor's.
func pauseThread(_ time: Duration) { usleep(UInt32(clamping: time.nanoseconds / 1_000)) }
