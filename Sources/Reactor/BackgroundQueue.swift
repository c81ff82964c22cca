import CLinux

/// Does pieces of work one after the other, on a thread beside the reactors: what takes so long that all else on a reactor would
/// wait for it.
///
/// The thread starts with the first piece and ends when none is left; where processors are short it gives way to the reactors. The
/// queue has no bound of its own: who adds work bounds what it holds. Any thread may use it.
package final class BackgroundQueue: Sendable {
  private struct State {
    var work: [@Sendable () -> Void] = []
    var hasThread = false
  }

  private let name: String
  private let state = Guarded(State())

  /// An empty queue; its thread will have that name, of at most 15 bytes.
  package init(name: String) { self.name = name }

  /// Does the work after all that was added before, and returns at once. Where no thread can be started the work is done before it
  /// returns: late is better than never.
  package func add(_ work: @escaping @Sendable () -> Void) {
    let needsThread = state.withLock { state in
      state.work.append(work)
      defer { state.hasThread = true }
      return !state.hasThread
    }
    guard needsThread else { return }
    do {
      try startThread(name: name) {
        clinux_give_way()
        self.run()
      }
    } catch {
      run()
    }
  }

  /// A thread's life.
  private func run() {
    while true {
      let batch = state.withLock { state in
        state.hasThread = !state.work.isEmpty
        defer { state.work = [] }
        return state.work
      }
      if batch.isEmpty { return }
      for work in batch { work() }
    }
  }
}
