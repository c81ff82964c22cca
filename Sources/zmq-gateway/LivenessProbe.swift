import CLinux
import HTTPServer
import Reactor

/// Asks a gateway over HTTP whether it lives: what a container's health check runs.
struct LivenessProbe: Sendable, CustomStringConvertible {
  /// What is wrong with a URL.
  struct InvalidURL: Error, CustomStringConvertible {
    let description: String
  }

  private let host: String
  private let port: UInt16
  /// What stands before `/live`, such as `/api`; empty for nothing.
  private let prefix: String

  /// A probe of a gateway that listens there.
  init(_ address: ListenAddress) { (host, port, prefix) = (address.host, address.port, "") }

  /// A probe of `http://host:port`, with or without a prefix behind it; `http://` may be left out. Throws what is wrong with it.
  init(url: String) throws(InvalidURL) {
    if url.hasPrefix("https://") { throw InvalidURL(description: "https:// is not available in this version") }
    let rest = url.hasPrefix("http://") ? url.dropFirst("http://".count) : url[...]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    guard let parts = HostAndPort(rest[..<slash]), let port = parts.portNumber, port != 0, !parts.host.isEmpty,
      parts.isBracketed == parts.host.contains(":"),
      rest.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x3F && $0 != 0x23 })
    else { throw InvalidURL(description: "expected http://host:port, such as http://127.0.0.1:8080, not \"\(url)\"") }
    (host, self.port) = (String(parts.host), port)
    prefix = rest[slash...].hasSuffix("/") ? String(rest[slash...].dropLast()) : String(rest[slash...])
  }

  var description: String { "http://\(authority)\(prefix)" }

  private var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether `GET /live` answers 200 in time, at one of the addresses of the host. Blocks the calling thread, so it belongs on no
  /// reactor.
  func succeeds(within limit: Duration) -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &first) == 0 else { return false }
    defer { freeaddrinfo(first) }
    var address = first
    while let info = address?.pointee {
      if answers(info, within: limit) { return true }
      address = info.ai_next
    }
    return false
  }

  private func answers(_ address: addrinfo, within limit: Duration) -> Bool {
    let descriptor = socket(address.ai_family, address.ai_socktype, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let microseconds = limit.nanoseconds / 1_000
    var timeout = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
    guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else { return false }
    let request = "GET \(prefix)/live HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n\r\n"
    guard send(descriptor, request, request.utf8.count, CInt(MSG_NOSIGNAL)) == request.utf8.count else {
      return false
    }
    let expected = Array("HTTP/1.1 200".utf8)
    var answer = [UInt8](repeating: 0, count: expected.count)
    return recv(descriptor, &answer, answer.count, CInt(MSG_WAITALL)) == answer.count && answer == expected
  }
}
