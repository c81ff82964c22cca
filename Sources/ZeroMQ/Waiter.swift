import Reactor

/// One who waits for an answer, which any thread may give. The first one counts.
final class Waiter<Answer: Sendable>: Sendable {
  private struct State {
    var continuation: CheckedContinuation<Answer, Never>?
    var answer: Answer?
  }

  private let state = Guarded(State())

  /// The answer, when there is one.
  var answer: Answer? { state.withLock { $0.answer } }

  /// Whether there is an answer already.
  var isAnswered: Bool { answer != nil }

  /// Waits. Only one task may.
  nonisolated(nonsending) func wait() async -> Answer {
    await withCheckedContinuation { continuation in
      let answer = state.withLock { state in
        if state.answer == nil { state.continuation = continuation }
        return state.answer
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  /// As `wait()`, and answers by itself when the task is cancelled.
  nonisolated(nonsending) func wait(orIfCancelled answer: Answer) async -> Answer {
    await withTaskCancellationHandler {
      await wait()
    } onCancel: {
      resume(answer)
    }
  }

  /// Answers; false when there was an answer before.
  @discardableResult
  func resume(_ answer: Answer) -> Bool {
    let (isFirst, continuation) = state.withLock { state in
      let isFirst = state.answer == nil
      if isFirst { state.answer = answer }
      return (isFirst, state.continuation.take())
    }
    continuation?.resume(returning: answer)
    return isFirst
  }
}
