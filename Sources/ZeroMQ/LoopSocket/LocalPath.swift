import Glibc

/// A path in the file system, or behind `@` a name in Linux's abstract namespace, where processes of this machine meet.
struct LocalPath {
  /// Tells a file from all others that are there at the same time.
  struct FileNumber: Hashable {
    let device: UInt
    let file: UInt
  }

  private let path: String

  init(_ path: String) { self.path = path }

  /// Why it should not be bound to: somebody listens there, or something else than a socket is there. Nil when libzmq may have it.
  var fault: ZMQError.Code? {
    guard path != "*", !isAbstract else { return nil }
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    guard status.st_mode & S_IFMT == S_IFSOCK else { return .exists }
    return isListenedAt ? .addressInUse : nil
  }

  /// Removes a socket's file at which nobody listens.
  func removeUnused() {
    guard path != "*", !isAbstract, fault == nil else { return }
    unlink(path)
  }

  /// Whether it is a name in the abstract namespace.
  var isAbstract: Bool { path.hasPrefix("@") }

  /// Which file is there; nil when there is none.
  var fileNumber: FileNumber? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    return FileNumber(device: UInt(status.st_dev), file: UInt(status.st_ino))
  }

  /// Whether somebody listens there. It shows there as a connection.
  var isListenedAt: Bool {
    // One that has no room for more connections at the moment says so.
    withSocket { descriptor in withAddress { connect(descriptor, $0, $1) } == 0 || errno == EAGAIN }
  }

  /// Whether somebody has the abstract name. Nobody notices.
  var isNameTaken: Bool {
    withSocket { descriptor in withAddress { bind(descriptor, $0, $1) } != 0 && errno == EADDRINUSE }
  }

  private func withSocket(_ body: (CInt) -> Bool) -> Bool {
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return body(descriptor)
  }

  /// Lends the address as the kernel takes it.
  func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    if isAbstract { bytes[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes.prefix($0.count)) }
    // The name of an abstract one ends where its length says, a path with a zero.
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0
    let size = socklen_t(start + bytes.count + (isAbstract ? 0 : 1))
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }
}
