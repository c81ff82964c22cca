import CLinux
import Glibc
import Reactor

/// An open listening socket. A `Server` that is started with it owns it from then on; without one, `close()` it.
public struct Listener: Sendable {
  /// Connections that the kernel keeps until they are accepted.
  static let backlog: CInt = 4_096

  /// Where it listens, with the port the kernel chose.
  public let address: ListenAddress
  let descriptor: CInt

  init(address: ListenAddress, descriptor: CInt) { (self.address, self.descriptor) = (address, descriptor) }

  /// Opens a socket and listens. With `reusePort` several sockets share one port, and the kernel spreads the connections
  /// over them: all of them must be opened so. A Unix socket is a file of that mode; one that is there already is replaced when nobody
  /// listens at it any more.
  public static func open(
    _ address: ListenAddress, reusePort: Bool = false, mode: UInt32 = 0o660
  ) throws(HTTPServerError) -> Listener {
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { throw .last("socket") }
    // From before the file is made until somebody who connects sees that it is listened at.
    let turn = address.path.flatMap { DirectoryTurn(at: $0) }
    defer { turn?.end() }
    do throws(HTTPServerError) {
      if let path = address.path {
        try UnixSocketFile.bind(descriptor, to: address, at: path, mode: mode)
      } else {
        try set(SOL_SOCKET, SO_REUSEADDR, 1, descriptor)
        if reusePort { try set(SOL_SOCKET, SO_REUSEPORT, 1, descriptor) }
        if address.family == AF_INET6 { try set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1, descriptor) }
        guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else { throw .last("bind(\(address))") }
      }
      return try listening(descriptor)
    } catch {
      _ = CLinux.close(descriptor)
      throw error
    }
  }

  /// Takes over a socket that was handed to the process, as systemd does (sd_listen_fds(3)); it has to be bound. Throws, and leaves it
  /// open, when it is no socket of that kind.
  public static func adopt(_ descriptor: CInt) throws(HTTPServerError) -> Listener {
    var type: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 else {
      throw .last("descriptor \(descriptor)")
    }
    guard type == CInt(SOCK_STREAM.rawValue) else {
      throw HTTPServerError(call: "descriptor \(descriptor)", message: "is no socket of streams (ListenStream=)")
    }
    guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
      throw .last("fcntl")
    }
    return try listening(descriptor)
  }

  private static func listening(_ descriptor: CInt) throws(HTTPServerError) -> Listener {
    let address = try boundAddress(descriptor)
    // Accepted sockets inherit it, which saves a call for each connection.
    if !address.isUnixSocket { try set(CInt(IPPROTO_TCP), TCP_NODELAY, 1, descriptor) }
    guard listen(descriptor, backlog) == 0 else { throw .last("listen") }
    return Listener(address: address, descriptor: descriptor)
  }

  /// Another one at the same socket: each connection is accepted by one of them.
  public func duplicate() throws(HTTPServerError) -> Listener {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw .last("fcntl") }
    return Listener(address: address, descriptor: copy)
  }

  /// Closes a socket that no server has taken over.
  public func close() { _ = CLinux.close(descriptor) }

  private static func set(_ level: CInt, _ option: CInt, _ value: CInt, _ descriptor: CInt) throws(HTTPServerError) {
    var value = value
    guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
      throw .last("setsockopt")
    }
  }

  /// Where the socket is bound.
  private static func boundAddress(_ descriptor: CInt) throws(HTTPServerError) -> ListenAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutableBytes(of: &storage) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
    }
    guard result == 0 else { throw .last("getsockname") }
    guard
      let address = withUnsafeBytes(
        of: &storage, { ListenAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length)))) })
    else {
      throw HTTPServerError(call: "descriptor \(descriptor)", message: "is bound to no address that can be served")
    }
    return address
  }
}
