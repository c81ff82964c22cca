import Reactor

/// What the timer of a refused send holds instead of the transport, which it must not keep alive.
final class SendRetry: TimerHandler {
  private weak var transport: Transport?

  init(_ transport: Transport) { self.transport = transport }

  func fired(_ timer: Timer) { transport?.becameWritable() }
}
