import Glibc

/// What a binding holds of this machine: others can bind there when it is let go of.
struct BoundPlace {
  private enum Place {
    case port(host: String, UInt16)
    /// A socket's file, and which one it is: libzmq lets somebody else have the path, who then has another file.
    case file(LocalPath, LocalPath.FileNumber?)
    /// A name in the abstract namespace.
    case name(LocalPath)
    case nothing
  }

  private let place: Place

  /// That of an endpoint, in numbers, which was bound to just now.
  init(of endpoint: Endpoint) {
    switch endpoint.address {
    case .tcp(let host, let port): place = .port(host: host, port)
    case .ipc(let text):
      let path = LocalPath(text)
      place = path.isAbstract ? .name(path) : .file(path, path.fileNumber)
    case .inproc: place = .nothing
    }
  }

  /// Whether nobody else can have it yet, for that binding has it, or another one. Never waits; what cannot be found out is not taken.
  var isTaken: Bool {
    switch place {
    case .port(let host, let port): Self.isPortTaken(host, port)
    // One that C has made stays where it is.
    case .file(let path, let number): number != nil && path.fileNumber == number && path.isListenedAt
    case .name(let path): path.isNameTaken
    case .nothing: false
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
