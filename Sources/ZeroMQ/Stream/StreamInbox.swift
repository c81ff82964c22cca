import Reactor

/// What a stream's transport tells, kept for tasks: messages that nobody has read yet, whether writers are to pause, and the end.
final class StreamInbox: TransportDelegate, Sendable {
  /// What a reader gets.
  enum Reading<Taken> {
    case taken(Taken)
    /// The stream is closed, and all that had come is read.
    case closed
    /// The reader's task is cancelled; nothing was taken.
    case cancelled
  }

  private enum Step<Taken> {
    case done(Result<Reading<Taken>, ZMQError>)
    case wait(Waiter<Bool>)
  }

  private enum Drained {
    case yes, cancelled
    case ended(ZMQError)
  }

  private struct State {
    var buffer: ReadBuffer
    /// Of the task that reads, from when it has to wait until it has what it wants. Answered false when the task is cancelled.
    var reader: Waiter<Bool>?
    var drainers: [Waiter<Drained>] = []
    var isWritingPaused = false
    var isClosed = false
    var error: ZMQError?
  }

  private let state: Guarded<State>
  private let writing: BufferLimits

  init(reading: BufferLimits, writing: BufferLimits) {
    state = Guarded(State(buffer: ReadBuffer(reading)))
    self.writing = writing
  }

  /// What has ended the stream, if that was an error.
  var error: ZMQError? { state.withLock { $0.error } }

  /// It is closed, and there is nothing left to read.
  var isOver: Bool { state.withLock { $0.isClosed && $0.buffer.isEmpty } }

  /// Bytes that wait to be read.
  var byteCount: Int { state.withLock { $0.buffer.byteCount } }

  var limits: BufferLimits { state.withLock { $0.buffer.limits } }

  func setLimits(_ limits: BufferLimits, of transport: Transport) {
    if changePause({ $0.buffer.setLimits(limits) }) { settleSoon(transport) }
  }

  // MARK: Reading

  /// Takes something out of the buffer, waiting until there is something. Throws the error that has ended the stream, and `already`
  /// when another task waits.
  nonisolated(nonsending) func read<Taken: Sendable>(
    from transport: Transport, _ take: (inout ReadBuffer) -> Taken?
  ) async throws(ZMQError) -> Reading<Taken> {
    if Task.isCancelled { return .cancelled }
    var mine: Waiter<Bool>?
    while true {
      let (step, isChanged) = step(mine, take)
      if isChanged { settleSoon(transport) }
      switch step {
      case .done(let result): return try result.get()
      case .wait(let waiter):
        let isAnswered = await withTaskCancellationHandler {
          await waiter.wait()
        } onCancel: {
          waiter.resume(false)
        }
        guard isAnswered else {
          let isChanged = changePause { state in
            state.reader = nil
            state.buffer.await(false)
          }
          if isChanged { settleSoon(transport) }
          return .cancelled
        }
        mine = waiter
      }
    }
  }

  /// What a reader is to do, and whether receiving has to pause or to go on.
  private func step<Taken: Sendable>(
    _ mine: Waiter<Bool>?, _ take: (inout ReadBuffer) -> Taken?
  ) -> (Step<Taken>, Bool) {
    state.withLock { state in
      guard state.reader === mine else {
        return (.done(.failure(ZMQError(code: .already, call: "read, while another task reads"))), false)
      }
      state.reader = nil
      let wasPaused = state.buffer.isPaused
      if let taken = take(&state.buffer) { return (.done(.success(.taken(taken))), state.buffer.isPaused != wasPaused) }
      if let error = state.error { return (.done(.failure(error)), false) }
      if state.isClosed { return (.done(.success(.closed)), false) }
      let waiter = Waiter<Bool>()
      state.reader = waiter
      state.buffer.await(true)
      return (.wait(waiter), state.buffer.isPaused != wasPaused)
    }
  }

  func messageReceived(_ message: Message, on transport: isolated Transport) throws {
    let (reader, isChanged) = state.withLock { state in
      let reader = state.buffer.isAwaited ? state.reader : nil
      let wasPaused = state.buffer.isPaused
      state.buffer.append(message)
      return (reader, state.buffer.isPaused != wasPaused)
    }
    if isChanged { try settle(transport) }
    reader?.resume(true)
  }

  /// Whether the change makes receiving pause or go on.
  private func changePause(_ change: (inout State) -> Void) -> Bool {
    state.withLock { state in
      let wasPaused = state.buffer.isPaused
      change(&state)
      return state.buffer.isPaused != wasPaused
    }
  }

  private func settleSoon(_ transport: Transport) {
    transport.reactor.submit { transport.assumeIsolated { try? self.settle($0) } }
  }

  /// Makes the transport receive or pause, as the buffer wants it now.
  private func settle(_ transport: isolated Transport) throws {
    let isPaused = state.withLock { $0.buffer.isPaused }
    guard transport.isOpen, isPaused != transport.isReadingPaused else { return }
    if isPaused { try transport.pauseReading() } else { try transport.resumeReading() }
  }

  // MARK: Writing

  func connectionMade(on transport: isolated Transport) throws {
    try transport.setWriteBufferLimits(high: writing.high, low: writing.low)
    try settle(transport)
  }

  func pauseWriting(on transport: isolated Transport) { state.withLock { $0.isWritingPaused = true } }

  func resumeWriting(on transport: isolated Transport) {
    let drainers = state.withLock { state in
      state.isWritingPaused = false
      defer { state.drainers = [] }
      return state.drainers
    }
    for drainer in drainers { drainer.resume(.yes) }
  }

  func send(_ message: Message, on transport: isolated Transport) async throws(ZMQError) {
    transport.write(message)
    try await drain(transport)
  }

  func drain(_ transport: isolated Transport) async throws(ZMQError) {
    let isOpen = transport.isOpen
    let waiter = Waiter<Drained>()
    state.withLock { state in
      if let error = state.error {
        waiter.resume(.ended(error))
      } else if state.isClosed {
        waiter.resume(.ended(Self.closed("drain")))
      } else if isOpen, !state.isWritingPaused {
        waiter.resume(.yes)
      } else {
        // One that is not open any more will soon say why.
        state.drainers.removeAll { $0.isAnswered }
        state.drainers.append(waiter)
      }
    }
    let drained = await withTaskCancellationHandler {
      await waiter.wait()
    } onCancel: {
      waiter.resume(.cancelled)
    }
    switch drained {
    case .yes: return
    case .cancelled: throw Self.cancelled("drain")
    case .ended(let error): throw error
    }
  }

  // MARK: The end

  func close(_ transport: isolated Transport) async {
    transport.close()
    end(nil)
    await transport.waitClosed()
  }

  func abort(_ transport: isolated Transport) async {
    transport.abort()
    end(nil)
    await transport.waitClosed()
  }

  func connectionLost(_ error: ZMQError?, on transport: isolated Transport) {
    end(error)
    let drainers = state.withLock { state in
      defer { state.drainers = [] }
      return state.drainers
    }
    for drainer in drainers { drainer.resume(.ended(error ?? Self.closed("drain"))) }
  }

  /// Nothing more will be received.
  private func end(_ error: ZMQError?) {
    let reader = state.withLock { state in
      state.isClosed = true
      if let error { state.error = error }
      return state.reader
    }
    reader?.resume(true)
  }

  static func closed(_ call: String) -> ZMQError { ZMQError(code: .notSocket, call: "\(call) on a closed stream") }
  static func cancelled(_ call: String) -> ZMQError { ZMQError(code: .cancelled, call: "\(call), by a cancelled task") }
}
