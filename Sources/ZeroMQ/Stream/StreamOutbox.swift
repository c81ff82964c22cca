import Reactor

/// Where messages wait that tasks write to a stream, until the reactor hands them to its transport, and where tasks wait while there is
/// too much.
final class StreamOutbox: Sendable {
  private enum Drained {
    case yes, cancelled
    case ended(ZMQError)
  }

  private struct State {
    /// What the transport does not have yet.
    var messages: [Message] = []
    /// What that counts for, and what is just being handed over.
    var weight = 0
    /// The transport has too much.
    var isPaused = false
    var drainers: [Waiter<Drained>] = []
    /// Why nothing more can be sent.
    var end: ZMQError?
  }

  private let state = Guarded(State())
  private let limits: BufferLimits
  /// How much may wait for the reactor before a drain waits.
  private let mark: Int

  init(_ limits: BufferLimits, of kind: SocketKind) {
    self.limits = limits
    // Out of turn, whoever has sent is to hear of it.
    mark = kind.takesTurns ? 0 : limits.high
  }

  func write(_ message: Message, to transport: Transport) {
    let isFirst = state.withLock { state in
      state.messages.append(message)
      state.weight += message.weight
      return state.messages.count == 1
    }
    if transport.reactor.isCurrent {
      transport.assumeIsolated { flush(to: $0) }
    } else if isFirst {
      transport.reactor.submit { transport.assumeIsolated { self.flush(to: $0) } }
    }
  }

  nonisolated(nonsending) func drain() async throws(ZMQError) {
    let waiter = try state.withLock { state throws(ZMQError) -> Waiter<Drained>? in
      if let end = state.end { throw end }
      guard isFull(state) else { return nil }
      let waiter = Waiter<Drained>()
      state.drainers.removeAll { $0.answer != nil }
      state.drainers.append(waiter)
      return waiter
    }
    switch await waiter?.wait(orIfCancelled: .cancelled) {
    case .yes, nil: return
    case .cancelled: throw ZMQError(code: .cancelled, call: "drain, by a cancelled task")
    case .ended(let error): throw error
    }
  }

  private func isFull(_ state: State) -> Bool { state.isPaused || state.weight > mark }

  /// A change that may let those go on who wait.
  private func change(_ body: (inout State) -> Void) {
    let drainers = state.withLock { state in
      body(&state)
      guard !isFull(state) else { return [] as [Waiter<Drained>] }
      defer { state.drainers = [] }
      return state.drainers
    }
    for drainer in drainers { drainer.resume(.yes) }
  }

  // MARK: On the reactor

  func setLimits(of transport: isolated Transport) throws {
    try transport.setWriteBufferLimits(high: limits.high, low: limits.low)
  }

  /// Hands over what waits.
  func flush(to transport: isolated Transport) {
    let (messages, weight) = state.withLock { state in
      defer { state.messages = [] }
      return (state.messages, state.weight)
    }
    guard !messages.isEmpty else { return }
    for message in messages { transport.write(message) }
    // One that an error has ended says so in a moment.
    if transport.isOpen { change { $0.weight -= weight } }
  }

  func pause() { state.withLock { $0.isPaused = true } }

  func resume() { change { $0.isPaused = false } }

  /// What waits is dropped.
  func drop() { state.withLock { $0.messages = [] } }

  /// From now on `drain` throws that.
  func end(_ error: ZMQError) { state.withLock { $0.end = error } }

  /// Those who wait hear of the end too.
  func lost(_ error: ZMQError) {
    let drainers = state.withLock { state in
      state.end = error
      defer { state.drainers = [] }
      return state.drainers
    }
    for drainer in drainers { drainer.resume(.ended(error)) }
  }
}
