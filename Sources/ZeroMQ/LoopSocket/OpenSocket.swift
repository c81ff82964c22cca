import Reactor

/// What a `LoopSocket` has until it closes: libzmq's socket, and what works on it.
final class OpenSocket {
  let socket: Socket
  let watch: Watch
  let monitor: SocketMonitor
  let connections: Connections
  let bindings: Bindings

  init(socket: Socket, watch: Watch, monitor: SocketMonitor, connections: Connections, bindings: Bindings) {
    self.socket = socket
    self.watch = watch
    self.monitor = monitor
    self.connections = connections
    self.bindings = bindings
  }

  // Not inlined: there the watch would be kept for the time of the call, which takes several times as long for what is referred to weakly.
  @inline(never) func scheduleTurn() { watch.schedule() }

  /// The socket closes with the last reference to it. Calls `free` when others may bind to what it was bound to.
  func close(_ free: @escaping () -> Void) {
    connections.end()
    watch.cancel()
    bindings.end(free)
    socket.stopMonitor()
    monitor.end()
  }
}
