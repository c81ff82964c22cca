import CLinux
import Reactor

/// How many connections are open, and how many of each client address, over all servers that share it. Exact: each is counted
/// when it is accepted, under one lock that is held for an entry of a table. The table is no larger than the limit.
public final class OpenConnections: Sendable {
  private struct Table {
    var count = 0
    var byAddress: [ClientAddress: Int] = [:]
  }

  /// The most that may be open.
  public let limit: Int
  /// The most that may be open of one client address.
  public let limitPerAddress: Int
  private let table = Guarded(Table())

  /// Limits with no connection open.
  public init(limit: Int, perAddress: Int) {
    self.limit = limit
    limitPerAddress = perAddress
  }

  /// How many are open; those beyond a limit are not counted.
  public var count: Int { table.withLock { $0.count } }

  /// Counts a connection; false, with nothing counted, when it would be beyond a limit.
  func enter(_ address: ClientAddress) -> Bool {
    table.withLock { table in
      let ofAddress = table.byAddress[address, default: 0]
      guard table.count < limit, ofAddress < limitPerAddress else { return false }
      table.count += 1
      table.byAddress[address] = ofAddress + 1
      return true
    }
  }

  /// Takes back what `enter` has counted.
  func leave(_ address: ClientAddress) {
    table.withLock { table in
      table.count -= 1
      let left = table.byAddress[address, default: 1] - 1
      table.byAddress[address] = left > 0 ? left : nil
    }
  }
}

/// The address of a client, without the port: 16 bytes, those of IPv4 mapped into IPv6 (RFC 4291, 2.5.5.2).
struct ClientAddress: Hashable, Sendable {
  private let upper: UInt64
  private let lower: UInt64

  init(_ peer: clinux_peer) {
    (upper, lower) = withUnsafeBytes(of: peer.address) { bytes in
      guard CInt(peer.address.sin6_family) == AF_INET6 else {
        // The address follows the family and the port.
        let address = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        return (0, 0xFFFF_0000_0000 | UInt64(address))
      }
      // And in IPv6 the flow label too.
      return (
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      )
    }
  }
}
