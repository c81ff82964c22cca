import Reactor
import ZeroMQ

/// A one-way call that waits for a worker, until it is sent or its time is up. Confined to the reactor's thread.
final class WaitingCall: TimerHandler {
  /// It was sent, or will not be.
  var hasEnded: Bool { continuation == nil }
  /// nil when it has ended.
  private var call: KeptCall?
  private let loop: Loop
  private var continuation: CheckedContinuation<Void, any Error>?
  private var deadline: Timer?
  private var isCancelled = false

  init(_ call: CopiedCall, memory: MemoryBudget, on loop: Loop) {
    self.call = call.lend { KeptCall(copying: $0, memory: memory) }
    self.loop = loop
  }

  /// Somebody waits now, for so long.
  func begin(_ continuation: CheckedContinuation<Void, any Error>, within timeout: Duration?) {
    guard !isCancelled else { return continuation.resume(throwing: CancellationError()) }
    self.continuation = continuation
    deadline = timeout.map { loop.schedule(at: loop.now + $0, self) }
  }

  /// Hands it over; false when there is still no room.
  func send(to client: OneWayClient) -> Bool {
    do throws(CallFailure) {
      try call?.lend { call in Result { () throws(CallFailure) in try client.send(call) } }.get()
      end { $0.resume() }
    } catch {
      if [.noBackend, .queueFull].contains(error.code) { return false }
      end(throwing: error)
    }
    return true
  }

  func fired(_ timer: Timer) { end(throwing: CallFailure(.queueTimeout, sent: false)) }

  /// Its task was cancelled, perhaps before anybody waited.
  func cancel() {
    isCancelled = true
    end(throwing: CancellationError())
  }

  func end(throwing error: any Error) { end { $0.resume(throwing: error) } }

  private func end(_ resume: (CheckedContinuation<Void, any Error>) -> Void) {
    guard let continuation = continuation.take() else { return }
    if let deadline { loop.cancel(deadline) }
    call = nil
    resume(continuation)
  }
}
