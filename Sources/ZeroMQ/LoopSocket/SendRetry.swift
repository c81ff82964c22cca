import Reactor

/// What the timer of a refused send holds instead of the socket, which it must not keep alive.
final class SendRetry: TimerHandler {
  private weak var socket: LoopSocket?

  init(_ socket: LoopSocket) { self.socket = socket }

  func fired(_ timer: Timer) { socket?.becameWritable() }
}
