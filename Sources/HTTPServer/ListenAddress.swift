import CLinux
import CMicroHTTPD

/// Where a server listens: a numeric IPv4 or IPv6 address and a port, such as `127.0.0.1:8080` or `[::1]:0`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// The numeric address, without brackets.
  public let host: String
  /// The port; 0 lets the kernel choose one.
  public let port: UInt16

  /// Reads `host:port`. IPv6 addresses stand in brackets; `localhost` means 127.0.0.1; names are not resolved.
  public init(parsing text: String) throws(HTTPServerError) {
    guard let colon = text.lastIndex(of: ":") else { throw Self.invalid(text, "no port: expected host:port") }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
      throw Self.invalid(text, "the port is not a number from 0 to 65535")
    }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { throw Self.invalid(text, "only an IPv6 address stands in brackets") }
    } else if host.contains(":") {
      throw Self.invalid(text, "an IPv6 address stands in brackets")
    }
    if host == "localhost" { host = "127.0.0.1" }
    self.host = String(host)
    self.port = port
    guard withSocketAddress({ _, _ in true }) == true else {
      throw Self.invalid(text, "the host is not a numeric address")
    }
  }

  init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Whether only this machine can connect.
  public var isLoopback: Bool { host == "::1" || host.hasPrefix("127.") || host.hasPrefix("::ffff:127.") }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  var family: CInt { host.contains(":") ? AF_INET6 : AF_INET }

  /// Runs the body with the address as the socket calls want it; nil when the host is no address.
  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
    if family == AF_INET6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return nil }
      return Self.pass(&address, body)
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
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

  private static func invalid(_ text: String, _ message: String) -> HTTPServerError {
    .init(call: "listen address '\(text)'", message: message)
  }
}
