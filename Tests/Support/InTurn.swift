import Foundation
import Reactor
public import Testing

/// A test begins when few others run, and has so long from then on. Else all tests of a run begin at once: more than a machine has
/// descriptors and time for.
public struct InTurn: SuiteTrait, TestTrait, TestScoping {
  @TaskLocal private static var isItsTurn = false
  private static let turns = Turns(ProcessInfo.processInfo.activeProcessorCount * 2)

  private let limit: Duration

  fileprivate init(_ limit: Duration) { self.limit = limit }

  public var isRecursive: Bool { true }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    // A suite takes no turn, and a case only one, though both it and its suite ask for that.
    guard testCase != nil else { return try await function() }
    guard !Self.isItsTurn else { return try await withinLimit(function) }
    await Self.turns.take()
    defer { Self.turns.giveBack() }
    try await Self.$isItsTurn.withValue(true) { try await withinLimit(function) }
  }

  private func withinLimit(_ function: () async throws -> Void) async throws {
    try await withUnsafeCurrentTask { task in
      let test = RunningTask(task: task)
      let watch = Task {
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        Issue.record("it is not over after \(limit)")
        test.task?.cancel()
      }
      let outcome = await Result(catching: function)
      watch.cancel()
      await watch.value
      try outcome.get()
    }
  }
}

// Safe: any thread may cancel a task, and the test's is there until its watch has ended, for which it waits.
private struct RunningTask: @unchecked Sendable { let task: UnsafeCurrentTask? }

extension Trait where Self == InTurn {
  /// In turn with others, and for that long.
  public static func inTurn(minutes: Int) -> InTurn { InTurn(.seconds(60 * minutes)) }
}

/// So many may be taken at a time; who comes first is next.
private final class Turns: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Guarded<State>

  init(_ count: Int) { state = Guarded(State(free: count)) }

  func take() async {
    await withCheckedContinuation { waiter in
      let isFree = state.withLock { state in
        guard state.free == 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(waiter)
        return false
      }
      if isFree { waiter.resume() }
    }
  }

  func giveBack() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

extension Result where Success == Void, Failure == any Error {
  fileprivate init(catching body: () async throws -> Void) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
