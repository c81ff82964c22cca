import Glibc
import HTTPServer

/// The limit on open files is too low: libzmq would end the process at the first socket that it cannot open.
public struct TooFewDescriptors: Error, Hashable, CustomStringConvertible {
  /// What the process may have open.
  public let limit: Int
  /// What it needs at least.
  public let needed: Int
  public var description: String {
    "the limit on open files is \(limit), and at least \(needed) are needed: raise it (ulimit -n)"
  }

  /// Raises the limit to as many as the process may have, and throws when these are fewer than so many.
  public static func check(needed: Int) throws(TooFewDescriptors) {
    let limit = DescriptorLimit.raised()
    guard limit >= needed else { throw TooFewDescriptors(limit: limit, needed: needed) }
  }
}

/// How many descriptors the process may have open, which connections and sockets share.
enum DescriptorLimit {
  /// What the program, libraries and logs need, and four connections.
  private static let least = 12
  /// What a shard needs for its loop, and for each address that it listens on.
  private static let ofShard = 4
  /// What libzmq needs for all sockets together.
  private static let ofContext = 8
  /// A ZeroMQ socket has one of its own, its monitor has two, and there is its connection.
  private static let ofSocket = 4
  /// Descriptors beside the connections: libzmq's, epoll's, logs and libraries.
  private static let reserve = 64
  /// What a server needs beside its connections: those beyond the limits, and its daemons.
  private static let ofServer = Server.surplus + 16

  /// How many connections of so many descriptors fit beside that many ZeroMQ sockets and HTTP servers.
  static func connections(besides sockets: Int, servers: Int, each descriptors: Int = 1) -> Int {
    // A ZeroMQ socket has a descriptor of its own and one for its connection.
    let left = raised() - 2 * sockets - reserve
    // Servers do with less when there is little: what is beyond the limits is closed, or waits, when no descriptor is free.
    return max(1, (left - min(servers * ofServer, left / 4)) / descriptors)
  }

  /// Throws when not even a gateway of so many shards, servers and ZeroMQ sockets, all shards together, fits.
  static func check(shards: Int, servers: Int, sockets: Int) throws(TooFewDescriptors) {
    let needed = least + ofShard * (shards + servers) + (sockets > 0 ? ofContext : 0) + ofSocket * sockets
    try TooFewDescriptors.check(needed: needed)
  }

  /// Raises the soft limit to the hard one, and returns what it is then.
  fileprivate static func raised() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
    return Int(clamping: limit.rlim_cur)
  }
}

extension Configuration {
  /// Sockets of all shards: one for each endpoint or pattern, twice that for monitors and their ends, and as much to spare for
  /// connections that are replaced.
  func socketCount(shards: Int) -> Int { openSockets(shards: shards) * 6 }

  /// Sockets of all shards, their monitors aside.
  func openSockets(shards: Int) -> Int {
    let sockets = services.reduce(0) { sum, service in
      switch service.pattern {
      case .rpc(let rpc): sum + max(rpc.connect.count, 1)
      case .pipeline: sum + 1
      case .pubsub: sum + 2
      }
    }
    return sockets * shards
  }
}
