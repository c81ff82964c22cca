import Glibc
import HTTPServer

/// How many descriptors the process may have open: connections and sockets come out of one purse.
enum DescriptorLimit {
  /// Descriptors beside the connections: libzmq's, epoll's, logs and libraries.
  private static let reserve = 64
  /// What a server needs beside its connections: those beyond the limits, and its daemons.
  private static let ofServer = Server.surplus + 16

  /// Raises the soft limit to the hard one, and returns how many connections fit beside that many ZeroMQ sockets and HTTP servers.
  static func connections(besides sockets: Int, servers: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
    // A ZeroMQ socket has a descriptor of its own and one for its connection.
    let left = Int(clamping: limit.rlim_cur) - 2 * sockets - reserve
    // Servers do with less when there is little: what is beyond the limits is closed, or waits, when no descriptor is free.
    return max(1, left - min(servers * ofServer, left / 4))
  }
}
