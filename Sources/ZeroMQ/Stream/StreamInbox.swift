import Reactor

/// Where a stream's messages wait for whoever reads them: the reactor fills it, any task empties it.
final class StreamInbox: Sendable {
  private enum Step<Taken: Sendable> {
    /// Nil at the end of a closed stream.
    case done(Taken?)
    case wait(Waiter<Bool>)
  }

  private struct State {
    var buffer: ReadBuffer
    /// Of the task that reads, from when it waits until it has what it wants. Answered false when that task is cancelled.
    var reader: Waiter<Bool>?
    var isClosed = false
    var error: ZMQError?
  }

  private let state: Guarded<State>

  init(_ limits: BufferLimits) { state = Guarded(State(buffer: ReadBuffer(limits))) }

  /// What has ended the stream, if that was an error.
  var error: ZMQError? { state.withLock { $0.error } }

  /// It is closed, and there is nothing left to read.
  var isOver: Bool { state.withLock { $0.isClosed && $0.buffer.isEmpty } }

  /// Bytes that wait to be read.
  var byteCount: Int { state.withLock { $0.buffer.byteCount } }

  /// A task waits for a message.
  var isAwaited: Bool { state.withLock { $0.buffer.isAwaited } }

  var limits: BufferLimits { state.withLock { $0.buffer.limits } }

  func setLimits(_ limits: BufferLimits, of transport: Transport) {
    change(transport) { $0.buffer.setLimits(limits) }
  }

  // MARK: Reading

  /// Takes what is there; nil when nothing is. Throws `already` while another task waits.
  func take<Taken: Sendable>(
    from transport: Transport, _ take: (inout ReadBuffer) -> Taken?
  ) throws(ZMQError) -> Taken? {
    try change(transport) { state throws(ZMQError) in
      if state.reader != nil { try Self.requireAlone(state, nil) }
      return take(&state.buffer)
    }
  }

  /// Takes something out of the buffer, waiting until there is something. Nil at the end of a closed stream, and when the task is
  /// cancelled, which takes nothing. Throws the error that has ended the stream, and `already` while another task waits.
  nonisolated(nonsending) func read<Taken: Sendable>(
    from transport: Transport, _ take: (inout ReadBuffer) -> Taken?
  ) async throws(ZMQError) -> Taken? {
    if Task.isCancelled { return nil }
    var mine: Waiter<Bool>?
    while true {
      switch try change(transport, { state throws(ZMQError) in try Self.step(&state, mine, take) }) {
      case .done(let taken): return taken
      case .wait(let waiter):
        guard await waiter.wait(orIfCancelled: false) else {
          change(transport) { if $0.reader === waiter { ($0.reader, $0.buffer.isAwaited) = (nil, false) } }
          return nil
        }
        mine = waiter
      }
    }
  }

  private static func step<Taken: Sendable>(
    _ state: inout State, _ mine: Waiter<Bool>?, _ take: (inout ReadBuffer) -> Taken?
  ) throws(ZMQError) -> Step<Taken> {
    try requireAlone(state, mine)
    state.reader = nil
    if let taken = take(&state.buffer) { return .done(taken) }
    if let error = state.error { throw error }
    if state.isClosed { return .done(nil) }
    let waiter = Waiter<Bool>()
    (state.reader, state.buffer.isAwaited) = (waiter, true)
    return .wait(waiter)
  }

  private static func requireAlone(_ state: State, _ mine: Waiter<Bool>?) throws(ZMQError) {
    guard let reader = state.reader, reader !== mine, reader.answer != false else { return }
    throw ZMQError(code: .already, call: "read, while another task reads")
  }

  /// A change that may make receiving pause or go on.
  @inline(__always)
  private func change<Result: Sendable, Failure: Error>(
    _ transport: Transport, _ body: (inout State) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let (result, isChanged) = try state.withLock { state throws(Failure) in
      let wasPaused = state.buffer.isPaused
      return (try body(&state), state.buffer.isPaused != wasPaused)
    }
    if isChanged { transport.reactor.submit { transport.assumeIsolated { self.settle($0) } } }
    return result
  }

  // MARK: On the reactor

  /// How many bytes there is room for; less than zero when nothing is to be received.
  func room(on transport: isolated Transport) -> Int {
    let room = state.withLock { $0.buffer.room }
    if room < 0 { settle(transport) }
    return room
  }

  func received(_ batches: [MessageBatch], on transport: isolated Transport) {
    let (reader, isPaused) = state.withLock { state in
      let reader = state.buffer.isAwaited ? state.reader : nil
      for batch in batches { state.buffer.append(batch) }
      return (reader, state.buffer.isPaused)
    }
    if isPaused { settle(transport) }
    reader?.resume(true)
  }

  /// Makes the transport receive or pause, as the buffer wants it now.
  func settle(_ transport: isolated Transport) {
    let isPaused = state.withLock { $0.buffer.isPaused }
    guard transport.isOpen, isPaused != transport.isReadingPaused else { return }
    // It cannot throw: it is open, and does the other thing.
    if isPaused { try? transport.pauseReading() } else { try? transport.resumeReading() }
  }

  /// Nothing more will be received.
  func end(_ error: ZMQError?) {
    let reader = state.withLock { state in
      state.isClosed = true
      if let error { state.error = error }
      return state.reader
    }
    reader?.resume(true)
  }
}
