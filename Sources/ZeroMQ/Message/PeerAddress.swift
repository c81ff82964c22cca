/// Where a peer is, as libzmq tells it of a message ("Peer-Address", `zmq_msg_gets(3)`).
package enum PeerAddress {
  /// The IP address, in one spelling; nil over ipc, where it tells of the peer's process, and inproc. Looks at characters only.
  package static func number(_ property: String?) -> String? {
    guard let property, let first = property.first, first.isHexDigit || first == ":" else { return nil }
    return unmapped(property)
  }

  /// libzmq reports one IPv4 address now as it is, now as an IPv6 address that maps it.
  static func unmapped(_ address: String) -> String {
    let prefix = "::ffff:"
    guard address.hasPrefix(prefix), address.contains(".") else { return address }
    return String(address.dropFirst(prefix.count))
  }
}
