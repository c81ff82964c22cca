import Glibc
import HTTPServer

/// A host and a port, as `Host` and `Origin` name them (RFC 3986, 3.2), taken apart in place.
struct Authority {
  /// The name, without a dot at its end; an IPv6 address in its brackets.
  let name: UnsafeRawBufferPointer
  /// The digits of the port; empty when none is written.
  let port: UnsafeRawBufferPointer
  /// Whether the name ends with a dot, and so is taken for no name of a local network.
  private let isRooted: Bool

  init(_ text: UnsafeRawBufferPointer) {
    // Behind the last colon, unless that is one of an IPv6 address.
    let end = text.lastIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "]") } ?? text.count
    let hasPort = end < text.count && text[end] == UInt8(ascii: ":")
    let name = text[..<(hasPort ? end : text.count)]
    isRooted = name.last == UInt8(ascii: ".")
    self.name = UnsafeRawBufferPointer(rebasing: isRooted ? name.dropLast() : name)
    port = UnsafeRawBufferPointer(rebasing: text[(hasPort ? end + 1 : text.count)...])
  }

  /// Whether it is `localhost`, or a name below it, which no name server is asked for (RFC 6761, 6.3).
  var isLocal: Bool {
    let suffix: StaticString = ".localhost"
    return name.isCaseless("localhost") || name.count > suffix.utf8CodeUnitCount && name.hasCaselessSuffix(suffix)
  }

  /// Whether it is a name without a dot, such as that of a container: of letters, digits, hyphens and underscores. RFC 3986 allows more
  /// than any such name has: a percent sign, which may stand for a dot, or the comma of a list.
  var isSingleLabel: Bool {
    !name.isEmpty && !isRooted
      && name.allSatisfy { byte in
        0x61...0x7A ~= byte | 0x20 || 0x30...0x39 ~= byte || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
      }
  }

  /// Whether it is an IPv4 address, or an IPv6 address in brackets.
  var isAddress: Bool {
    let isBracketed = name.first == UInt8(ascii: "[") && name.last == UInt8(ascii: "]")
    let digits = isBracketed ? name.dropFirst().dropLast() : name[...]
    return withUnsafeTemporaryAllocation(byteCount: Int(INET6_ADDRSTRLEN), alignment: 1) { text in
      guard digits.count < text.count else { return false }
      text.copyBytes(from: digits)
      text[digits.count] = 0
      return withUnsafeTemporaryAllocation(of: in6_addr.self, capacity: 1) { address in
        inet_pton(isBracketed ? AF_INET6 : AF_INET, text.baseAddress, address.baseAddress) == 1
      }
    }
  }

  /// Whether it has that name, which is in small letters.
  func isNamed(_ text: String) -> Bool {
    text.utf8.count == name.count && text.utf8.span.withUnsafeBytes { name.isCaseless($0) }
  }

  /// Whether both name the same host and port; one that writes no port means the usual one.
  func isSame(as other: Authority, usualPort: StaticString) -> Bool {
    func lowered(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
    func port(_ authority: Authority) -> UnsafeRawBufferPointer {
      authority.port.isEmpty ? usualPort.bytes : authority.port
    }
    return port(self).elementsEqual(port(other)) && name.elementsEqual(other.name) { lowered($0) == lowered($1) }
  }
}

extension GatewayRequest {
  /// Whether a name and password may be those that a browser keeps, and adds by itself to what a page has it send: not for pages of other
  /// origins that are listed without that.
  var mayBringKeptCredentials: Bool {
    !isOfListedOrigin || mayListedBringCredentials || header(.origin).map(isOwn) == true
  }

  /// Whether an `Origin` is that of the host, by http or by https: a proxy may have taken TLS off. `null` is not.
  func isOwn(_ origin: UnsafeRawBufferPointer) -> Bool {
    guard let host else { return false }
    for (scheme, port): (StaticString, StaticString) in [("http://", "80"), ("https://", "443")] {
      guard origin.hasCaselessPrefix(scheme) else { continue }
      let rest = UnsafeRawBufferPointer(rebasing: origin.dropFirst(scheme.utf8CodeUnitCount))
      return Authority(rest).isSame(as: host, usualPort: port)
    }
    return false
  }
}
