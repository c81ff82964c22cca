import CLinux
import Reactor

/// An open listening socket. A `Server` that is started with it owns it from then on; without one, `close()` it.
public struct Listener: Sendable {
  /// Connections that the kernel keeps until they are accepted.
  static let backlog: CInt = 4_096

  /// Where it listens, with the port the kernel chose.
  public let address: ListenAddress
  let descriptor: CInt

  /// Opens a socket and listens. With `reusePort` several sockets share one port, and the kernel spreads the connections
  /// over them: all of them must be opened so.
  public static func open(_ address: ListenAddress, reusePort: Bool = false) throws(HTTPServerError) -> Listener {
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { throw .last("socket") }
    do throws(HTTPServerError) {
      try set(SOL_SOCKET, SO_REUSEADDR, 1, descriptor)
      if reusePort { try set(SOL_SOCKET, SO_REUSEPORT, 1, descriptor) }
      // Accepted sockets inherit it, which saves a call for each connection.
      try set(CInt(IPPROTO_TCP), TCP_NODELAY, 1, descriptor)
      if address.family == AF_INET6 { try set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1, descriptor) }
      guard address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0 else { throw .last("bind(\(address))") }
      guard listen(descriptor, backlog) == 0 else { throw .last("listen") }
      let port = try boundPort(descriptor)
      return Listener(address: address.bound(to: port), descriptor: descriptor)
    } catch {
      _ = CLinux.close(descriptor)
      throw error
    }
  }

  /// Closes a socket that no server has taken over.
  public func close() { _ = CLinux.close(descriptor) }

  private static func set(_ level: CInt, _ option: CInt, _ value: CInt, _ descriptor: CInt) throws(HTTPServerError) {
    var value = value
    guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
      throw .last("setsockopt")
    }
  }

  private static func boundPort(_ descriptor: CInt) throws(HTTPServerError) -> UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutableBytes(of: &storage) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
    }
    guard result == 0 else { throw .last("getsockname") }
    // The port stands at the same place in both families, in network order.
    return withUnsafeBytes(of: &storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
  }
}
