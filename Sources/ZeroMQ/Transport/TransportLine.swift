import Reactor

/// What a transport's socket and its timer hold instead of the transport, which only its user may keep alive. All on the loop's thread.
final class TransportLine: LoopSocketDelegate, TimerHandler {
  private weak var transport: Transport?

  func lead(to transport: Transport) { self.transport = transport }

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    let message = message.takeFrames()
    transport?.assumeIsolated { $0.received(message) }
  }

  func writable(on socket: LoopSocket) { transport?.assumeIsolated { $0.flush() } }

  func failed(_ error: ZMQError, on socket: LoopSocket) { transport?.assumeIsolated { $0.socketFailed(error) } }

  func fired(_ timer: Timer) { transport?.assumeIsolated { $0.patienceEnded() } }
}
