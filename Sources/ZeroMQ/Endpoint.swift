import Reactor

/// Where a socket binds or connects: `tcp://host:port`, `ipc://path` or `inproc://name`, checked against ZeroMQ's grammar.
///
/// A host is a name, an IPv4 address, an IPv6 address in brackets, or `*` (any interface; only to bind). A port of `*` or 0
/// lets the kernel choose (only to bind). `ipc://*` lets libzmq choose a path (only to bind).
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  /// What the text says, taken apart.
  public enum Address: Hashable, Sendable {
    /// A host without the brackets of IPv6, and a port; 0 is any.
    case tcp(host: String, port: UInt16)
    /// A path in the file system; with `@` in front, a name in Linux's abstract namespace.
    case ipc(path: String)
    /// A name within the context.
    case inproc(name: String)
  }

  /// What the text says, taken apart.
  public let address: Address
  /// The text, as libzmq takes it.
  public let description: String

  /// Reads an endpoint; throws what is wrong with it.
  public init(_ text: String) throws(EndpointError) {
    address = try Self.read(text)
    description = text
  }

  /// A tcp endpoint, from its parts.
  package init(host: String, port: UInt16) {
    address = .tcp(host: host, port: port)
    description = host.contains(":") ? "tcp://[\(host)]:\(port)" : "tcp://\(host):\(port)"
  }

  /// Throws when the endpoint can only be bound to.
  public func requireConnectable() throws(EndpointError) {
    switch address {
    case .tcp("*", _): throw EndpointError("\"*\" is an address to bind to; name the host to connect to")
    case .tcp(_, 0):
      throw EndpointError(
        description.hasSuffix("*")
          ? "\"*\" is a port to bind to; ports to connect to are 1...65535" : "\"0\" is no port; ports are 1...65535")
    case .ipc("*"): throw EndpointError("\"*\" is a path to bind to; name the path to connect to")
    default: return
    }
  }
}

/// Why a text is no endpoint.
public struct EndpointError: Error, Hashable, CustomStringConvertible {
  /// The reason, in a sentence that says what to write instead.
  public let description: String

  init(_ description: String) { self.description = description }
}

extension Endpoint {
  /// The longest path a `sockaddr_un` of Linux holds, in bytes.
  public static let longestPath = 107
  /// libzmq's bound on an inproc name, in bytes.
  private static let longestName = 255

  private static func read(_ text: String) throws(EndpointError) -> Address {
    guard let mark = text.firstRange(of: "://") else {
      throw EndpointError(
        "expected tcp://host:port or ipc:///path, not \"\(text)\""
          + (likelyEndpoint(text).map { "; did you mean \($0)?" } ?? ""))
    }
    guard !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
      throw EndpointError("an endpoint has no spaces")
    }
    let rest = text[mark.upperBound...]
    switch text[..<mark.lowerBound] {
    case "tcp": return try readHost(rest)
    case "ipc":
      guard !rest.isEmpty else { throw EndpointError("ipc:// needs a path: ipc:///run/service") }
      guard rest.utf8.count <= longestPath else {
        throw EndpointError("an ipc path has at most \(longestPath) bytes, not \(rest.utf8.count)")
      }
      return .ipc(path: String(rest))
    case "inproc":
      guard !rest.isEmpty else { throw EndpointError("inproc:// needs a name: inproc://service") }
      guard rest.utf8.count <= longestName else {
        throw EndpointError("an inproc name has at most \(longestName) bytes, not \(rest.utf8.count)")
      }
      return .inproc(name: String(rest))
    case let scheme:
      throw EndpointError("\"\(scheme)\" is no transport of ZeroMQ here; use tcp or ipc")
    }
  }

  /// What a text without `://` is likely to stand for; nil when nothing is.
  private static func likelyEndpoint(_ text: String) -> Endpoint? {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let likely =
      switch parts[0] {
      case "tcp" where parts.count == 2: "tcp://" + parts[1].drop { $0 == "/" }
      case "ipc" where parts.count == 2: "ipc://" + parts[1]
      case let path where path.hasPrefix("/"): "ipc://" + text
      default: "tcp://" + text
      }
    return try? Endpoint(likely)
  }

  private static func readHost(_ rest: Substring) throws(EndpointError) -> Address {
    guard !rest.hasSuffix("]"), let parts = HostAndPort(rest) else {
      throw EndpointError("tcp:// needs a port: tcp://\(rest):5555")
    }
    let (host, port) = (parts.host, parts.port)
    if host.isEmpty { throw EndpointError("tcp:// needs a host: tcp://127.0.0.1:\(port)") }
    if host.contains("/") || port.contains("/") { throw EndpointError("tcp:// takes a host and a port, no path") }
    if host.contains(";") { throw EndpointError("tcp:// takes one host and port; a source address is not supported") }
    if host.contains("[") || host.contains("]") {
      throw EndpointError(
        "an IPv6 address stands between brackets: tcp://[\(host.filter { $0 != "[" && $0 != "]" })]:\(port)")
    }
    if host.contains(":"), !parts.isBracketed, Resolver.numeric(String(host)) == nil,
      Resolver.numeric(String(rest)) != nil
    {
      throw EndpointError("an IPv6 address goes in brackets, and a port behind them: tcp://[\(rest)]:5555")
    }
    if parts.isBracketed != host.contains(":") {
      throw EndpointError(
        parts.isBracketed
          ? "only an IPv6 address goes in brackets: tcp://\(host):\(port)"
          : "an IPv6 address goes in brackets: tcp://[\(host)]:\(port)")
    }
    if let fault = addressFault(host) { throw EndpointError(fault) }
    if port == "*" { return .tcp(host: String(host), port: 0) }
    guard let number = parts.portNumber else {
      throw EndpointError("\"\(port)\" is no port; ports are 1...65535")
    }
    return .tcp(host: String(host), port: number)
  }
}

extension Endpoint {
  /// Why a host that cannot be a name is no address either; nil for addresses and for names.
  private static func addressFault(_ host: Substring) -> String? {
    if host.contains(":") {
      // An interface that is not there yet has no number: only what stands before it can be judged.
      let address = host.prefix { $0 != "%" }
      return Resolver.numeric(String(address)) == nil ? "\"\(host)\" is no IPv6 address, such as ::1" : nil
    }
    var labels = host.split(separator: ".", omittingEmptySubsequences: false)
    if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
    // No name ends in a number, so that names and addresses cannot be mistaken for each other (WHATWG URL, "ends in a number").
    guard let last = labels.last?.lowercased(), !last.isEmpty else { return nil }
    let isNumber = last.hasPrefix("0x") ? last.dropFirst(2).allSatisfy(\.isHexDigit) : last.utf8.allSatisfy(isDigit)
    if !isNumber { return nil }
    let octets = host.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress =
      octets.count == 4
      && octets.allSatisfy { octet in
        octet.utf8.allSatisfy(isDigit) && UInt8(octet) != nil && (octet == "0" || !octet.hasPrefix("0"))
      }
    return isAddress
      ? nil
      : "\"\(host)\" is no IPv4 address, which is four numbers of 0 to 255, such as 127.0.0.1; and no name ends in a number"
  }

  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
}

extension Endpoint {
  /// Whether the two lead to one place in different spellings: addresses are compared in numbers, names without regard to case.
  /// Names are not looked up.
  public func isSame(as other: Endpoint) -> Bool {
    guard case .tcp(_, let port) = address, case .tcp(_, let otherPort) = other.address else {
      return address == other.address
    }
    return port == otherPort && hostInNumbers.lowercased() == other.hostInNumbers.lowercased()
  }

  private var hostInNumbers: String {
    guard case .tcp(let host, _) = inNumbers.address else { return "" }
    return host
  }

  /// The host's name if it has one that must be looked up before libzmq can connect.
  package var hostName: String? {
    guard case .tcp(let host, _) = address, host != "*", Resolver.numeric(host) == nil else { return nil }
    return host
  }

  /// The endpoint that libzmq reports, in one spelling, whichever it uses, and without the source address. What is no
  /// endpoint stays as it is.
  static func canonical(_ text: String) -> String {
    var text = text
    if text.hasPrefix("tcp://"), let end = text.firstIndex(of: ";") {
      text = "tcp://" + text[text.index(after: end)...]
    }
    return (try? Endpoint(text))?.inNumbers.description ?? text
  }

  /// What libzmq is given to connect to. Over TCP with any source address, which libzmq binds so that others may bind the port
  /// at once after the connection's end: when the kernel connects a socket with itself, the port is that of a service.
  ///
  /// Any source address is `*`, of either family, for which alone libzmq asks no list of the interfaces: to get that, at each try, takes a
  /// descriptor, and libzmq 4.3 ends the process when there is none. Between brackets, for it takes nothing to connect to that begins
  /// with an asterisk.
  var outgoing: String {
    guard case .tcp = address else { return description }
    return "tcp://[*]:0;" + description.dropFirst("tcp://".count)
  }

  /// Over TCP, at an address of IPv6.
  var isIPv6: Bool { if case .tcp(let host, _) = address { host.contains(":") } else { false } }

  /// The same endpoint with its address spelled as the kernel does; a name stays.
  package var inNumbers: Endpoint {
    // Of an address of IPv4 there is one spelling that is taken.
    guard isIPv6, case .tcp(let host, let port) = address, let number = Resolver.numeric(host) else {
      return self
    }
    return Endpoint(host: number, port: port)
  }

  /// The same host with the port of another one, over TCP.
  func withPort(of other: Endpoint) -> Endpoint {
    guard case .tcp(let host, _) = address, case .tcp(_, let port) = other.address else { return self }
    return Endpoint(host: host, port: port)
  }

  /// Whether a connection that is reported at an address may have come in here: with wildcards, only the port tells.
  func accepts(_ reported: String) -> Bool {
    if description == reported { return true }
    guard case .tcp(_, let port) = address, let other = try? Endpoint(reported), case .tcp(_, port) = other.address
    else { return false }
    return true
  }
}
