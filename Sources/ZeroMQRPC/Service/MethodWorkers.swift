import DequeModule
import Reactor

/// Runs methods beside the reactor, in tasks that take one call after the other: several calls cost one task, and several outcomes one turn
/// of the reactor.
///
/// A method may wait for as long as it wants to, and its task with it. So while calls wait to begin, one more task is always on its way
/// that will take them.
final class MethodWorkers: Sendable {
  /// A call that is to begin, with the number that it has meanwhile.
  typealias Job = (number: UInt32, call: MethodCall)
  /// A method that has ended, by the number of its call.
  typealias Ended = (number: UInt32, outcome: Outcome)

  private struct Worker {
    let task: Task<Void, Never>
    /// The call whose method it runs; nil before its first one.
    var number: UInt32?
    /// That call was cancelled, and the task with it: it takes no other one.
    var isCancelled = false
  }

  private struct State {
    var jobs: Deque<Job> = []
    /// By their places; nil where one has ended.
    var workers: [Worker?] = []
    var free: [Int] = []
    /// A task is on its way that has not taken a call yet.
    var isComing = false
    var ended: [Ended] = []
  }

  /// A task that has run so many calls lets others of this process have its thread.
  private static let callsPerTask = 64

  private let runner: MethodRunner
  private let reactor: Reactor
  private let state = Guarded(State())

  init(_ runner: MethodRunner, on reactor: Reactor) {
    self.runner = runner
    self.reactor = reactor
  }

  /// Begins calls soon. Their outcomes are for the core to take, which is told on the reactor, and lives until then.
  func add(_ jobs: [Job], for core: ServiceCore) {
    state.withLock { state in
      state.jobs.append(contentsOf: jobs)
      summon(&state, for: core)
    }
  }

  /// Cancels the task of a call. False when the call had not begun: then it never will.
  func cancel(_ number: UInt32) -> Bool {
    let (hasBegun, task) = state.withLock { state -> (Bool, Task<Void, Never>?) in
      if let index = state.jobs.firstIndex(where: { $0.number == number }) {
        state.jobs.remove(at: index)
        return (false, nil)
      }
      guard let place = state.workers.firstIndex(where: { $0?.number == number }) else { return (true, nil) }
      state.workers[place]?.isCancelled = true
      return (true, state.workers[place]?.task)
    }
    // Outside: whoever listens to it runs now.
    task?.cancel()
    return hasBegun
  }

  /// Cancels all.
  func end() {
    let workers = state.withLock { state in
      state.jobs = []
      for place in state.workers.indices { state.workers[place]?.isCancelled = true }
      return state.workers
    }
    for worker in workers { worker?.task.cancel() }
  }

  /// Puts what has ended since the last time into an array that is empty.
  func takeEnded(into ended: inout [Ended]) { state.withLock { swap(&$0.ended, &ended) } }

  private func summon(_ state: inout State, for core: ServiceCore) {
    guard !state.isComing, !state.jobs.isEmpty else { return }
    state.isComing = true
    let place = state.free.popLast() ?? state.workers.count
    // It waits for the lock first, and so finds its place.
    let worker = Worker(task: Task { @concurrent in await self.work(at: place, for: core) })
    if place < state.workers.count { state.workers[place] = worker } else { state.workers.append(worker) }
  }

  private func work(at place: Int, for core: ServiceCore) async {
    var (ended, left): (Ended?, Int) = (nil, Self.callsPerTask)
    while let job = next(at: place, ended, left, for: core) {
      ended = (job.number, await runner.run(job.call))
      left -= 1
    }
  }

  /// Hands the outcome of the last call over, and takes the next one; nil when the task is to end.
  private func next(at place: Int, _ ended: Ended?, _ left: Int, for core: ServiceCore) -> Job? {
    let (job, isFirst) = state.withLock { state in
      if let ended { state.ended.append(ended) } else { state.isComing = false }
      let isSpent = left == 0 || state.workers[place]?.isCancelled != false
      let job = isSpent ? nil : state.jobs.popFirst()
      if let job {
        state.workers[place]?.number = job.number
      } else {
        state.workers[place] = nil
        state.free.append(place)
      }
      summon(&state, for: core)
      return (job, ended != nil && state.ended.count == 1)
    }
    if isFirst { reactor.submit { core.assumeIsolated { $0.takeEnded() } } }
    return job
  }
}
