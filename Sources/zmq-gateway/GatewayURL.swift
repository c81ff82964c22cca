import CLinux
import FoundationEssentials
import Glibc
import HTTPServer
import Reactor

/// Where a gateway is asked: `http://host:port` or `https://host:port`, with or without a prefix behind it, or `unix:/path` of a Unix socket.
struct GatewayURL: Sendable, CustomStringConvertible {
  /// What is wrong with the text of one.
  struct Invalid: Error, CustomStringConvertible {
    let description: String
  }

  /// A file of those whose certificates are trusted in the place of the system's, as other programs are told of it.
  private static let authorities = ProcessInfo.processInfo.environment["SSL_CERT_FILE"].flatMap {
    $0.isEmpty ? nil : $0
  }

  let host: String
  let port: UInt16
  /// What stands before all paths, such as `/api`; empty for nothing.
  let prefix: String
  /// Where a Unix socket is; nil for another address.
  let socketPath: String?

  /// Who has to answer there in TLS; nil: it is not spoken.
  let trust: TLSClient.Trust?

  /// That of a gateway of this machine that listens there.
  init(_ address: ListenAddress, prefix: String = "", speaksTLS: Bool = false) {
    trust = speaksTLS && !address.isUnixSocket ? .anyone : nil
    (host, port, self.prefix) = (address.isUnixSocket ? "localhost" : address.host, address.port, prefix)
    socketPath = address.path
  }

  /// Reads a URL; `http://` may be left out.
  init(_ text: String) throws(Invalid) {
    if text.hasPrefix("unix:") {
      do throws(ListenAddress.Invalid) {
        let address = try ListenAddress(text)
        (host, port, prefix, socketPath, trust) = ("localhost", 0, "", address.path, nil)
      } catch {
        throw Invalid(description: error.reason)
      }
      return
    }
    let (http, https) = ("http://", "https://")
    let speaksTLS = text.hasPrefix(https)
    let rest = text.dropFirst(speaksTLS ? https.count : text.hasPrefix(http) ? http.count : 0)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    guard let parts = HostAndPort(rest[..<slash]), let port = parts.portNumber, port != 0, !parts.host.isEmpty,
      parts.isBracketed == parts.host.contains(":"),
      rest.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x3F && $0 != 0x23 })
    else { throw Invalid(description: "expected http://host:port, such as http://127.0.0.1:8080, not \"\(text)\"") }
    (host, self.port, socketPath) = (String(parts.host), port, nil)
    trust = speaksTLS ? .host(String(parts.host), authorities: Self.authorities) : nil
    prefix = rest[slash...].hasSuffix("/") ? String(rest[slash...].dropLast()) : String(rest[slash...])
  }

  var description: String {
    socketPath.map { "unix:\($0)" } ?? "http\(trust == nil ? "" : "s")://\(authority)\(prefix)"
  }

  /// Host and port, as the header `Host` has them.
  var authority: String {
    if socketPath != nil { return host }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// Connects to the addresses of the host, one after the other, until the body makes something of a connection, which is closed then. Nil
  /// when it does of none. Blocks the calling thread, so it belongs on no reactor: at most `limit` for each address and each read,
  /// without one for as long as it takes.
  func withConnection<Result>(within limit: Duration?, _ body: (CInt) throws -> Result?) rethrows -> Result? {
    if let socketPath { return try Self.connected(toSocket: socketPath, within: limit, body) }
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &first) == 0 else { return nil }
    defer { freeaddrinfo(first) }
    var address = first
    while let info = address?.pointee {
      if let result = try Self.connected(info, within: limit, body) { return result }
      address = info.ai_next
    }
    return nil
  }

  private static func connected<Result>(
    _ address: addrinfo, within limit: Duration?, _ body: (CInt) throws -> Result?
  ) rethrows -> Result? {
    let descriptor = socket(address.ai_family, address.ai_socktype, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    bound(descriptor, by: limit)
    guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else { return nil }
    return try body(descriptor)
  }

  private static func connected<Result>(
    toSocket path: String, within limit: Duration?, _ body: (CInt) throws -> Result?
  ) rethrows -> Result? {
    let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    bound(descriptor, by: limit)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafeBytes(of: &name) { name in
      name.withMemoryRebound(to: sockaddr.self) { connect(descriptor, $0.baseAddress, socklen_t(name.count)) }
    }
    guard result == 0 else { return nil }
    return try body(descriptor)
  }

  private static func bound(_ descriptor: CInt, by limit: Duration?) {
    if let limit {
      let microseconds = limit.nanoseconds / 1_000
      var timeout = timeval(tv_sec: Int(microseconds / 1_000_000), tv_usec: Int(microseconds % 1_000_000))
      for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
        setsockopt(descriptor, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
      }
    }
  }
}
