/// `host:port` or `[host]:port`, taken apart. What a host may be, and whether brackets are right, is the caller's to say.
package struct HostAndPort {
  /// What stands before the last colon, without brackets.
  package let host: Substring
  /// Whether the host stands in brackets, as IPv6 addresses do.
  package let isBracketed: Bool
  /// What stands behind the last colon.
  package let port: Substring

  /// Takes a text apart; nil when it has no colon.
  package init?(_ text: Substring) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let host = text[..<colon]
    isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    self.host = isBracketed ? host.dropFirst().dropLast() : host
    port = text[text.index(after: colon)...]
  }

  /// The port as a number; nil when it is anything but digits up to 65535.
  package var portNumber: UInt16? {
    port.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? UInt16(port) : nil
  }
}
