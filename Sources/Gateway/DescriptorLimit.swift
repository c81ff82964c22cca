import Glibc
import HTTPServer

/// How many descriptors the process may have open: connections and sockets come out of one purse.
enum DescriptorLimit {
  /// Descriptors beside the connections: libzmq's, epoll's, logs and libraries.
  private static let reserve = 64 + Server.surplus

  /// Raises the soft limit to the hard one, and returns how many connections fit beside that many ZeroMQ sockets.
  static func connections(besides sockets: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
    // A ZeroMQ socket has a descriptor of its own and one for its connection.
    return max(1, Int(clamping: limit.rlim_cur) - 2 * sockets - reserve)
  }
}
