import Glibc

extension Configuration {
  /// One address to listen on.
  public struct Listen: Sendable, Hashable, CustomStringConvertible {
    /// A numeric address, or `localhost`; without brackets.
    public var host: String
    /// The port; 0 lets the system choose.
    public var port: UInt16

    /// Nothing is checked: text from outside goes through `init(_:)`.
    public init(host: String, port: UInt16) {
      self.host = host
      self.port = port
    }

    /// Reads `host:port` or `[::1]:port`; throws what is wrong with it.
    public init(_ text: String) throws(InvalidAddress) {
      if text.hasPrefix("unix:") { throw InvalidAddress(reason: "unix: is not available in this version") }
      guard let colon = text.lastIndex(of: ":") else {
        throw InvalidAddress(reason: "expected host:port, such as 127.0.0.1:8080, not \"\(text)\"")
      }
      var host = text[..<colon]
      let digits = text[text.index(after: colon)...]
      guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits) else {
        throw InvalidAddress(reason: "\"\(digits)\" is no port; ports are 0...65535")
      }
      let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
      if isBracketed { host = host.dropFirst().dropLast() }
      self.init(host: String(host), port: port)
      if isBracketed != host.contains(":") {
        throw InvalidAddress(reason: "an IPv6 address goes in brackets, and nothing else does: [::1]:\(port)")
      }
      if let reason = fault { throw InvalidAddress(reason: reason) }
    }

    /// `host:port`, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can connect: 127.0.0.0/8, ::1 and `localhost`.
    public var isLoopback: Bool {
      if let octets = octets4 { return octets.first == 127 }
      if let octets = octets6 { return octets.dropLast().allSatisfy { $0 == 0 } && octets.last == 1 }
      return host.lowercased() == "localhost"
    }
  }
}

extension Configuration.Listen {
  private var fault: String? {
    if host == "*" { return "to listen on every address, write 0.0.0.0:\(port) or [::]:\(port)" }
    if host.isEmpty { return "expected host:port, such as 127.0.0.1:\(port)" }
    if host.contains(":") { return octets6 == nil ? "\"\(host)\" is no IPv6 address" : nil }
    if host.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }) {
      return octets4 == nil ? "\"\(host)\" is no IPv4 address" : nil
    }
    if host.lowercased() == "localhost" { return nil }
    return "\"\(host)\" is no address; write the numbers of the address to listen on, such as 0.0.0.0:\(port)"
  }

  private var octets4: [UInt8]? { octets(AF_INET, 4) }
  private var octets6: [UInt8]? { octets(AF_INET6, 16) }

  private func octets(_ family: CInt, _ count: Int) -> [UInt8]? {
    var octets = [UInt8](repeating: 0, count: count)
    return inet_pton(family, host, &octets) == 1 ? octets : nil
  }
}
