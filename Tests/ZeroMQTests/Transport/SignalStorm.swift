import Foundation
import Glibc
import Reactor
import Support

/// Signals that interrupt the system calls of reactors, one after the other without a pause, until it ends.
struct SignalStorm {
  private let isOver = Guarded(false)
  private let storm: Task<Int, any Error>

  /// Begins with the reactors of these names, which `reactor` has made.
  init(on names: [String]) async throws {
    var threads: [pid_t] = []
    for name in names {
      threads.append(try await eventually("the thread of \(name)") { try Self.thread(named: name) })
    }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    // A signal that by default does nothing, so the handler may stay.
    sigaction(SIGURG, &action, nil)
    storm = Task { [threads, isOver] in
      try await offThread {
        var count = 0
        while !isOver.withLock({ $0 }) {
          // The kernel gives the signal to the thread that is named, if that does not block it.
          for thread in threads where kill(thread, SIGURG) == 0 { count += 1 }
          sched_yield()
        }
        return count
      }
    }
  }

  /// Ends it; returns how many there were.
  func end() async throws -> Int {
    isOver.withLock { $0 = true }
    return try await storm.value
  }

  /// A reactor whose thread does not block the signal. Threads of tasks do, and those that they start inherit that.
  static func reactor(_ name: String) async throws -> Reactor {
    try await offThread {
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGURG)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      return try Reactor(name: name)
    }
  }

  private static func thread(named name: String) throws -> pid_t? {
    let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").compactMap { pid_t($0) }
    return threads.first { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) == name + "\n" }
  }
}
