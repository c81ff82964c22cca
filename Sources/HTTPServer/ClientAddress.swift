import CLinux
import Glibc

/// The address of a client, without the port: 16 bytes, those of IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2). All clients of Unix sockets
/// together have one, `unix`.
public struct ClientAddress: Hashable, Sendable {
  fileprivate let upper: UInt64
  fileprivate let lower: UInt64

  private init(upper: UInt64, lower: UInt64) { (self.upper, self.lower) = (upper, lower) }

  /// That of whoever comes over a Unix socket; no other client has it, for it is one of multicast.
  static let unix = ClientAddress(upper: .max, lower: .max)

  init(_ peer: clinux_peer) {
    guard CInt(peer.address.sin6_family) != AF_UNIX else {
      self = .unix
      return
    }
    self = withUnsafeBytes(of: peer.address) { bytes in
      Self(bytes, isIPv6: CInt(peer.address.sin6_family) == AF_INET6)
    }
  }

  /// That of a socket's address: it follows the family and the port, and in IPv6 the flow label too.
  init(_ socketAddress: UnsafeRawBufferPointer, isIPv6: Bool) {
    if isIPv6 {
      upper = UInt64(bigEndian: socketAddress.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      lower = UInt64(bigEndian: socketAddress.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    } else {
      let address = UInt32(bigEndian: socketAddress.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
      (upper, lower) = (0, Self.mapping | UInt64(address))
    }
  }

  /// The address that is written so, an IPv6 address without brackets, or `unix`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard text != "unix" else {
      self = .unix
      return
    }
    // For C a text ends at its first NUL.
    guard !text.utf8.contains(0) else { return nil }
    let text = String(text)
    var short = in_addr()
    if inet_pton(AF_INET, text, &short) == 1 {
      self.init(upper: 0, lower: Self.mapping | UInt64(UInt32(bigEndian: short.s_addr)))
      return
    }
    var long = in6_addr()
    guard inet_pton(AF_INET6, text, &long) == 1 else { return nil }
    self = withUnsafeBytes(of: long) { bytes in
      Self(
        upper: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        lower: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  /// What stands before an IPv4 address that is mapped.
  private static let mapping: UInt64 = 0xFFFF_0000_0000

  fileprivate var isIPv4: Bool { upper == 0 && lower >> 32 == Self.mapping >> 32 }

  /// What a client is told from others by: the address, and in IPv6 its first 64 bits, for one client has all that follow.
  public var network: ClientAddress { isIPv4 || self == .unix ? self : ClientAddress(upper: upper, lower: 0) }

  /// In numbers, an IPv6 address without brackets.
  public var text: String {
    if self == .unix { return "unix" }
    if isIPv4 { return [24, 16, 8, 0].map { "\(lower >> $0 & 0xFF)" }.joined(separator: ".") }
    let bytes = [upper.bigEndian, lower.bigEndian]
    return bytes.withUnsafeBytes { address in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { room in
        inet_ntop(AF_INET6, address.baseAddress, room.baseAddress, socklen_t(room.count)).map {
          String(cString: $0)
        } ?? ""
      }
    }
  }
}

/// Addresses that begin with the same bits, as CIDR writes them: `10.0.0.0/8`, `fd00::/8`, or one address, or `unix`.
public struct AddressRange: Hashable, Sendable {
  private let first: ClientAddress
  /// Of the 128 bits of an address.
  private let bits: Int

  /// The range that is written so; nil for anything else, and when bits are set behind those that count.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = ClientAddress(parts[0]) else { return nil }
    let most = first.isIPv4 ? 32 : 128
    var bits = most
    if parts.count > 1 {
      guard let count = Int(parts[1]), 0...most ~= count, parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
        return nil
      }
      bits = count
    }
    self.first = first
    self.bits = bits + 128 - most
    guard first.upper & ~mask.upper == 0, first.lower & ~mask.lower == 0 else { return nil }
  }

  private var mask: (upper: UInt64, lower: UInt64) {
    // Shifts by 64 and more give nothing.
    (UInt64.max << UInt64(max(0, 64 - bits)), bits > 64 ? UInt64.max << UInt64(128 - bits) : 0)
  }

  /// Whether the address is one of them.
  public func contains(_ address: ClientAddress) -> Bool {
    address.upper & mask.upper == first.upper && address.lower & mask.lower == first.lower
  }
}
