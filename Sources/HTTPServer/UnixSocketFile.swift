import CLinux
import Glibc

/// The file at which a Unix socket is reached. The kernel leaves it when the socket is closed.
public struct UnixSocketFile: Sendable, Hashable {
  private let path: String
  private let device: UInt
  private let number: UInt
  /// When it was made: another file may have the number by then.
  private let made: Int

  /// That of a listener; nil when it has none.
  public init?(of listener: Listener) {
    guard let path = listener.address.path, let status = Self.status(path) else { return nil }
    self.path = path
    (device, number, made) = Self.identity(status)
  }

  /// Removes it, unless another process has put its own in its place.
  public func remove() {
    let turn = DirectoryTurn(at: path)
    defer { turn?.end() }
    guard let status = Self.status(path), Self.identity(status) == (device, number, made) else { return }
    unlink(path)
  }

  /// Binds a socket that does not listen yet: until it does, nobody can connect, whatever mode the file begins with.
  static func bind(
    _ descriptor: CInt, to address: ListenAddress, at path: String, mode: UInt32
  ) throws(HTTPServerError) {
    if address.withSocketAddress({ Glibc.bind(descriptor, $0, $1) }) != 0 {
      guard clinux_errno() == EADDRINUSE else { throw .last("bind(\(address))") }
      try removeStale(address, at: path)
      guard address.withSocketAddress({ Glibc.bind(descriptor, $0, $1) }) == 0 else { throw .last("bind(\(address))") }
    }
    try setMode(mode, at: path)
  }

  /// A file that somebody has put in the place of the socket by then, such as a link to one of ours, keeps its mode.
  static func setMode(_ mode: UInt32, at path: String) throws(HTTPServerError) {
    if fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW) == 0 { return }
    // Without /proc, and before Linux 6.6, the library can do it only by the name.
    let isUnsupported = clinux_errno() == EOPNOTSUPP && status(path).map { $0.st_mode & S_IFMT } == S_IFSOCK
    guard isUnsupported, chmod(path, mode) == 0 else { throw .last("chmod(\(path))") }
  }

  /// Removes the socket of a process that has gone; throws when somebody listens, or the file is another one.
  private static func removeStale(_ address: ListenAddress, at path: String) throws(HTTPServerError) {
    guard let status = status(path) else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw HTTPServerError(
        call: "bind(\(address))", message: "there is a file that is no socket; remove it, or listen elsewhere")
    }
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let probe = socket(AF_UNIX, type, 0)
    guard probe >= 0 else { throw .last("socket") }
    defer { _ = CLinux.close(probe) }
    guard address.withSocketAddress({ connect(probe, $0, $1) }) != 0, clinux_errno() == ECONNREFUSED else {
      throw HTTPServerError(call: "bind(\(address))", message: "another process listens there")
    }
    unlink(path)
  }

  private static func identity(_ status: stat) -> (UInt, UInt, Int) {
    (UInt(status.st_dev), UInt(status.st_ino), status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec)
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }
}
