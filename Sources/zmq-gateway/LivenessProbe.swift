import CLinux
import HTTPServer
import Reactor

/// Asks a gateway over HTTP whether it lives: what a container's health check runs.
struct LivenessProbe: Sendable {
  private let address: ListenAddress

  /// A probe of that address, `host:port`; throws what is wrong with it.
  init(_ address: String) throws(ListenAddress.Invalid) {
    self.address = try ListenAddress(address)
  }

  /// Whether `GET /live` answers 200 in time. Blocks the calling thread, so it belongs on no reactor.
  func succeeds(within limit: Duration) -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address.host, "\(address.port)", &hints, &found) == 0, let found else { return false }
    defer { freeaddrinfo(found) }
    let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let microseconds = limit.nanoseconds / 1_000
    var timeout = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
    for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }
    guard connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else { return false }
    let request = "GET /live HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
    guard send(descriptor, request, request.utf8.count, CInt(MSG_NOSIGNAL)) == request.utf8.count else {
      return false
    }
    let expected = Array("HTTP/1.1 200".utf8)
    var answer = [UInt8](repeating: 0, count: expected.count)
    return recv(descriptor, &answer, answer.count, CInt(MSG_WAITALL)) == answer.count && answer == expected
  }
}
