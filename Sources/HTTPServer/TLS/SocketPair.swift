import CLinux
import Glibc

/// Two sockets of this process, each the other end of the other one. Whoever makes them closes them.
struct SocketPair {
  let own: CInt
  let other: CInt

  /// The kernel holds so many bytes each way, roughly. Nil when no descriptor is free.
  init?(memory: CInt) {
    var ends: [CInt] = [-1, -1]
    let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
    (own, other) = (ends[0], ends[1])
    var memory = memory
    for end in ends {
      setsockopt(end, SOL_SOCKET, SO_SNDBUF, &memory, socklen_t(MemoryLayout<CInt>.size))
    }
  }

  func close() { for end in [own, other] { _ = CLinux.close(end) } }
}
