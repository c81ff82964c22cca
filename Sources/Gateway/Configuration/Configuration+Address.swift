extension Configuration {
  /// Where a backend is: `tcp://host:port` or `ipc:///path`, checked.
  public struct Address: Sendable, Hashable, CustomStringConvertible {
    /// The text as libzmq takes it.
    public let description: String

    /// Checks an address to connect to; throws what is wrong with it.
    public init(_ text: String) throws(InvalidAddress) {
      if let reason = Self.fault(in: text) { throw InvalidAddress(reason: reason) }
      description = text
    }
  }

  /// Why a text is no address of a backend.
  public struct InvalidAddress: Error, Hashable, CustomStringConvertible {
    /// The reason, in a sentence.
    public let reason: String

    /// The reason, in a sentence.
    public var description: String { reason }
  }
}

extension Configuration.Address {
  /// The longest path a `sockaddr_un` of Linux holds.
  static let longestPath = 107

  static func fault(in text: String) -> String? {
    guard let mark = text.firstRange(of: "://") else {
      return "expected tcp://host:port or ipc:///path, not \"\(text)\""
    }
    let rest = text[mark.upperBound...]
    if text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "an endpoint has no spaces" }
    switch text[..<mark.lowerBound] {
    case "tcp": return hostFault(rest)
    case "ipc": return pathFault(rest)
    case "inproc":
      return "inproc:// ends where this process ends; use tcp or ipc to reach another"
    case let scheme: return "\"\(scheme)\" is no transport of ZeroMQ here; use tcp or ipc"
    }
  }

  private static func hostFault(_ rest: Substring) -> String? {
    guard let colon = rest.lastIndex(of: ":") else { return "tcp:// needs a port: tcp://\(rest):5555" }
    let host = rest[..<colon]
    let port = rest[rest.index(after: colon)...]
    if host == "*" { return "\"*\" is an address to bind to; name the host to connect to" }
    if host.isEmpty { return "tcp:// needs a host: tcp://127.0.0.1:\(port)" }
    if host.contains("/") || port.contains("/") { return "tcp:// takes a host and a port, no path" }
    if host.contains(":"), !(host.hasPrefix("[") && host.hasSuffix("]")) {
      return "an IPv6 address goes in brackets: tcp://[\(host)]:\(port)"
    }
    guard port.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(port), number > 0 else {
      return "\"\(port)\" is no port; ports are 1...65535"
    }
    return nil
  }

  private static func pathFault(_ path: Substring) -> String? {
    guard path.hasPrefix("/"), path.utf8.count > 1 else { return "ipc:// needs an absolute path: ipc:///run/\(path)" }
    return path.utf8.count > longestPath ? "an ipc path has at most \(longestPath) bytes, not \(path.utf8.count)" : nil
  }
}
