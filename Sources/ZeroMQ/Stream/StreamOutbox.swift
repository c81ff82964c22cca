import Reactor

/// Where messages wait that tasks write to a stream, until the reactor hands them to its transport, and where tasks wait while there is
/// too much.
final class StreamOutbox: Sendable {
  /// What became of a message.
  enum Outcome {
    case taken
    /// It was taken, and a drain has something to wait for.
    case full
    /// Nothing is taken after the end, which a drain throws.
    case refused
  }

  private enum Drained {
    case yes, cancelled, ended
  }

  private struct State {
    /// What the transport does not have yet.
    var messages: [Message] = []
    /// What that counts for, and what is just being handed over.
    var weight = 0
    /// What the transport had in its buffer when it was looked at last.
    var buffered = 0
    /// The transport has too much.
    var isPaused = false
    var drainers: [Waiter<Drained>] = []
    /// Why nothing more can be sent.
    var end: ZMQError?
  }

  private let state = Guarded(State())
  /// How much may wait, before something that the transport does not have yet makes a drain wait.
  private let limits: BufferLimits

  init(_ limits: BufferLimits, of kind: SocketKind) {
    // Out of turn, whoever has sent is to hear of it.
    self.limits = kind.takesTurns ? .nothing : limits
  }

  func write(_ message: Message, to transport: Transport) -> Outcome {
    let (isFirst, outcome) = state.withLock { state -> (Bool, Outcome) in
      guard state.end == nil else { return (false, .refused) }
      state.messages.append(message)
      state.weight += message.weight
      return (state.messages.count == 1, isFull(state) ? .full : .taken)
    }
    guard outcome != .refused else { return outcome }
    if transport.reactor.isCurrent {
      transport.assumeIsolated { flush(to: $0) }
    } else if isFirst {
      transport.reactor.submit { transport.assumeIsolated { self.flush(to: $0) } }
    }
    return outcome
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
    case .ended: throw state.withLock { $0.end } ?? MessageStream.closed("drain")
    }
  }

  private func isFull(_ state: State) -> Bool {
    state.isPaused || state.weight > 0 && state.weight + state.buffered > limits.high
  }

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
    let socket = transport.socket
    for message in messages {
      // One that an error has ended says so in a moment.
      guard transport.isOpen else { return }
      transport.write(message, to: socket)
    }
    guard transport.isOpen else { return }
    let buffered = transport.buffer.weight
    change { ($0.weight, $0.buffered) = ($0.weight - weight, buffered) }
  }

  func pause() { state.withLock { $0.isPaused = true } }

  func resume(_ transport: isolated Transport) {
    let buffered = transport.buffer.weight
    change { ($0.isPaused, $0.buffered) = (false, buffered) }
  }

  /// What waits is dropped.
  func drop() { state.withLock { $0.messages = [] } }

  /// From now on nothing is taken, and `drain` throws that; without an error what it has thrown before, or that the stream is closed.
  func end(_ error: ZMQError?) {
    state.withLock { $0.end = error ?? $0.end ?? MessageStream.closed("drain") }
  }

  /// Those who wait hear of the end too.
  func wakeAll() {
    let drainers = state.withLock { state in
      defer { state.drainers = [] }
      return state.drainers
    }
    for drainer in drainers { drainer.resume(.ended) }
  }
}
