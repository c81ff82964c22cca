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

  /// The socket closes with the last reference to it: at once, or, when it was bound, when others may bind there. Then `free` is called.
  func close(_ free: @escaping () -> Void) {
    connections.end()
    watch.cancel()
    let last = ClosingSocket(self, free)
    monitor.delegate = last
    bindings.end { last.end() }
  }
}

/// A socket that was closed, until it listens nowhere any more. The departures of its endpoints keep it.
private final class ClosingSocket: MonitorDelegate {
  private var open: OpenSocket?
  private var free: (() -> Void)?

  init(_ open: OpenSocket, _ free: @escaping () -> Void) { (self.open, self.free) = (open, free) }

  func monitorHasEvents() {
    for event in open?.monitor.takeEvents() ?? [] where event.kind == .freed { open?.bindings.freed(event.address) }
  }

  func socketFailed(_ error: ZMQError) { end() }

  func end() {
    if let open = open.take() {
      open.socket.stopMonitor()
      open.monitor.end()
    }
    free.take()?()
  }
}
