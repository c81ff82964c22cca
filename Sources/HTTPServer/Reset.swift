import CLinux
import Glibc

/// Has the kernel reset the connection when it is closed, and throw away what it has for a client that takes too little: it would keep that
/// for some minutes more (socket(7), SO_LINGER).
func resetWhenClosed(_ descriptor: CInt) {
  var atOnce = linger(l_onoff: 1, l_linger: 0)
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
}
