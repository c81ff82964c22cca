import CLinux
import Glibc
import Reactor

/// Where a server listens: a numeric IPv4 or IPv6 address, or `localhost`, and a port, such as `127.0.0.1:8080` or `[::1]:0`; or a Unix
/// socket, such as `unix:/run/zmq-gateway.sock`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with a text that is no address.
  public struct Invalid: Error, Hashable, CustomStringConvertible {
    /// The mistake, and what to write instead.
    public let reason: String
    public var description: String { reason }
  }

  /// The address as it was written, without brackets; empty for a Unix socket.
  public let host: String
  /// The port; 0 lets the kernel choose one, and stands for a Unix socket.
  public let port: UInt16
  /// Where a Unix socket is; nil for another address.
  public let path: String?

  private static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Reads `host:port`, `[::1]:port` or `unix:/path`; throws what is wrong with it. Names other than `localhost` are not resolved.
  public init(_ text: String) throws(Invalid) {
    if text.hasPrefix("unix:") {
      try self.init(path: String(text.dropFirst("unix:".count)))
      return
    }
    if let scheme = text.firstRange(of: "://") {
      let rest = text[scheme.upperBound...].prefix { $0 != "/" }
      throw Invalid(reason: "write the address without \(text[..<scheme.upperBound]), as host:port: \(rest)")
    }
    guard let parts = HostAndPort(text[...]) else {
      throw Invalid(reason: "expected host:port, such as 127.0.0.1:8080, not \"\(text)\"")
    }
    guard let port = parts.portNumber else {
      throw Invalid(reason: "\"\(parts.port)\" is no port; ports are 0...65535")
    }
    if parts.isBracketed != parts.host.contains(":") {
      throw Invalid(reason: "an IPv6 address goes in brackets, and nothing else does: [::1]:\(port)")
    }
    self.init(host: String(parts.host), port: port)
    if octets == nil { throw Invalid(reason: fault) }
  }

  /// The host is one that was read before.
  private init(host: String, port: UInt16) {
    self.host = host
    self.port = port
    path = nil
  }

  /// A Unix socket there; throws what is wrong with the path.
  public init(path: String) throws(Invalid) {
    guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0) else {
      throw Invalid(
        reason: "\"\(path)\" is no path of a Unix socket; write a whole one, such as unix:/run/zmq-gateway.sock")
    }
    guard path.utf8.count <= Self.longestPath else {
      throw Invalid(reason: "the path of a Unix socket has \(Self.longestPath) bytes at most")
    }
    (host, port, self.path) = ("", 0, path)
  }

  /// Whether it is a Unix socket.
  public var isUnixSocket: Bool { path != nil }

  /// That of a bound socket, as the kernel tells it; nil when it is none of these, or has no path.
  init?(_ socketAddress: UnsafeRawBufferPointer) {
    guard socketAddress.count > 2 else { return nil }
    let family = CInt(socketAddress.loadUnaligned(as: sa_family_t.self))
    if family == AF_UNIX {
      let path = String(decoding: socketAddress.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
      guard let address = try? ListenAddress(path: path) else { return nil }
      self = address
      return
    }
    guard family == AF_INET || family == AF_INET6 else { return nil }
    // The port stands at the same place in both families, in network order.
    let port = UInt16(bigEndian: socketAddress.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    let size = family == AF_INET6 ? INET6_ADDRSTRLEN : INET_ADDRSTRLEN
    let offset = family == AF_INET6 ? 8 : 4
    var text = [CChar](repeating: 0, count: Int(size))
    guard let base = socketAddress.baseAddress, inet_ntop(family, base + offset, &text, socklen_t(size)) != nil else {
      return nil
    }
    self.init(host: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self), port: port)
  }

  /// 127.0.0.1 and a port.
  public static func loopback(port: UInt16) -> ListenAddress { .init(host: "127.0.0.1", port: port) }

  /// Whether both are one address and port, however they are written.
  public func isSame(as other: ListenAddress) -> Bool {
    path == other.path && port == other.port && octets == other.octets
  }

  /// Whether only this machine can connect: 127.0.0.0/8, in IPv6 too, ::1, and Unix sockets.
  public var isLoopback: Bool {
    if isUnixSocket { return true }
    guard let octets else { return false }
    if octets.count == 4 { return octets[0] == 127 }
    let isMapped = octets[..<10].allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
    return isMapped ? octets[12] == 127 : octets.dropLast().allSatisfy { $0 == 0 } && octets[15] == 1
  }

  /// `host:port`, with brackets around an IPv6 address; or `unix:/path`.
  public var description: String {
    if let path { return "unix:\(path)" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  var family: CInt { isUnixSocket ? AF_UNIX : host.contains(":") ? AF_INET6 : AF_INET }

  /// Runs the body with the address as the socket calls want it; nil when the host is no address.
  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
    if let path {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      return Self.pass(&address, body)
    }
    if family == AF_INET6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      guard inet_pton(AF_INET6, numericHost, &address.sin6_addr) == 1 else { return nil }
      return Self.pass(&address, body)
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, numericHost, &address.sin_addr) == 1 else { return nil }
    return Self.pass(&address, body)
  }

  private static func pass<Address, Result>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { pointer in
        // A socket address is never empty, so it has a base.
        body(pointer.baseAddress.unsafelyUnwrapped, socklen_t(MemoryLayout<Address>.size))
      }
    }
  }

  private var numericHost: String { host.lowercased() == "localhost" ? "127.0.0.1" : host }

  /// The bytes of the address, 4 or 16; nil when the host is no address.
  private var octets: [UInt8]? {
    // The C call would read no further than a NUL.
    guard !isUnixSocket, !host.utf8.contains(0) else { return nil }
    var octets = [UInt8](repeating: 0, count: family == AF_INET6 ? 16 : 4)
    return inet_pton(family, numericHost, &octets) == 1 ? octets : nil
  }

  /// Why the host is no address.
  private var fault: String {
    if host == "*" { return "to listen on every address, write 0.0.0.0:\(port) or [::]:\(port)" }
    if host.isEmpty { return "expected host:port, such as 127.0.0.1:\(port)" }
    if host.contains(":") { return "\"\(host)\" is no IPv6 address" }
    if host.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }) { return "\"\(host)\" is no IPv4 address" }
    return "\"\(host)\" is no address; write the numbers of the address to listen on, such as 0.0.0.0:\(port)"
  }
}
