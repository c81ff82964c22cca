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
