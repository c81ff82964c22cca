import Glibc

extension Endpoint {
  /// Whether somebody listens at an endpoint of this machine, in numbers. Never waits; what cannot be found out is not taken.
  var isTaken: Bool {
    switch address {
    case .tcp(let host, let port): Self.isPortTaken(host, port)
    case .ipc(let path): LocalPath(path).isListenedAt
    case .inproc: false
    }
  }

  /// Whether the kernel refuses to bind to it, as libzmq would.
  private static func isPortTaken(_ host: String, _ port: UInt16) -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let place = found?.pointee else { return false }
    defer { freeaddrinfo(found) }
    let descriptor = socket(place.ai_family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Connections that were accepted there do not count.
    var flag: CInt = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &flag, socklen_t(MemoryLayout<CInt>.size))
    return Glibc.bind(descriptor, place.ai_addr, place.ai_addrlen) != 0 && errno == EADDRINUSE
  }
}
