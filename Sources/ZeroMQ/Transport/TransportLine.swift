import Reactor

/// What a transport's socket and its timer hold instead of the transport, which only its user may keep alive. All on the loop's thread.
final class TransportLine: LoopSocketDelegate, MessageTaker, TimerHandler {
  private weak var transport: Transport?

  func lead(to transport: Transport) { self.transport = transport }

  func takeMessages(atMost limit: Int, from socket: LoopSocket) throws(ZMQError) -> MessagesLeft {
    guard let transport else { return .unknown }
    return try transport.assumeIsolated { $0.takeMessages(atMost: limit) }.get()
  }

  func writable(on socket: LoopSocket) { transport?.assumeIsolated { $0.flush() } }

  func connectionChanged(_ event: ConnectionEvent, at endpoint: Endpoint?, on socket: LoopSocket) {
    // All else libzmq's own events tell (`Monitor`).
    guard case .unresolved(_, let reason) = event, let endpoint else { return }
    transport?.assumeIsolated { $0.report(.unresolved(endpoint, reason: reason)) }
  }

  func failed(_ error: ZMQError, on socket: LoopSocket) { transport?.assumeIsolated { $0.socketFailed(error) } }

  func fired(_ timer: Timer) { transport?.assumeIsolated { $0.patienceEnded() } }
}
