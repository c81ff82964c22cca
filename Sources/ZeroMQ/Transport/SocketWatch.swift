public import Reactor

/// What lives on a socket: told when there is something to receive or room to send.
public protocol SocketDelegate: AnyObject {
  /// Do a bounded piece of the socket's work. It is called again before the loop sleeps, as long as `wantsTurn` holds.
  func socketTurn()
  /// Whether there is something to do, by what libzmq says it would allow.
  func wantsTurn(_ readiness: Socket.Readiness) -> Bool
}

/// A socket's place in a loop. After a send outside of `socketTurn`, call `touched()`: the send may have used up the edge of
/// libzmq's descriptor, which would then never fire again.
public final class SocketWatch: Source {
  private let socket: Socket
  private weak var owner: (any SocketDelegate)?
  private var watch: Watch?

  /// Watches the socket until `cancel()`. Does not keep the owner alive.
  public init(_ socket: Socket, on loop: Loop, owner: any SocketDelegate) throws {
    self.socket = socket
    self.owner = owner
    watch = try loop.watch(socket.descriptor, self)
    socket.watch = self
    touched()
  }

  /// Looks at the socket again before the loop sleeps.
  public func touched() { watch?.schedule() }

  /// Ends the watch. Do it before the socket is let go.
  public func cancel() {
    watch?.cancel()
    watch = nil
  }

  public func turn(_ events: PollEvents) {
    if let owner { owner.socketTurn() }
  }

  public func isReady() -> Bool { owner?.wantsTurn((try? socket.readiness) ?? []) ?? false }
}
