import CLinux

/// One thread that runs an epoll loop and is the executor of the actors that live on it.
///
/// Everything such an actor holds is confined to the thread, so it needs no lock. From outside, `await` the actor; from a
/// C callback on the thread, use `assumeIsolated`. The thread starts with `init` and ends with `shutdown()`, which has to
/// come last: an actor that is freed later would find no thread to be freed on.
public final class Reactor: SerialExecutor, TaskExecutor {
  private enum Entry {
    case job(UnownedJob)
    case work(@Sendable () -> Void)
  }
  private struct Inbox {
    var entries: [Entry] = []
    var isAsleep = false
    var isWoken = false
    var isStopping = false
  }

  // Safe: only the reactor's own thread uses the loop; `loop` checks that.
  private nonisolated(unsafe) let confined: Loop
  private let inbox = Guarded(Inbox())
  private let wakeUp: CInt
  private let thread = Guarded<pthread_t?>(nil)

  /// Starts the thread. The clock is read once a turn; tests hand in their own and call `wake()` after moving it.
  public init(
    name: String = "reactor", clock: @escaping @Sendable () -> Instant = Instant.monotonic
  ) throws(ReactorError) {
    confined = try Loop(clock: clock)
    wakeUp = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard wakeUp >= 0 else { throw .last("eventfd") }
    try start(name)
  }

  deinit { close(wakeUp) }

  private func start(_ name: String) throws(ReactorError) {
    _ = try confined.watch(wakeUp, WakeUp(descriptor: wakeUp))
    let start = Unmanaged.passRetained(Start(reactor: self, name: name))
    var created = pthread_t()
    let failure = pthread_create(&created, nil, runReactor, start.toOpaque())
    guard failure == 0 else {
      start.release()
      throw ReactorError(errno: failure, call: "pthread_create")
    }
    thread.withLock { $0 = created }
  }

  /// The loop, for code that runs on the reactor's thread. Anywhere else it is a programming error and traps.
  public var loop: Loop {
    precondition(isCurrent, "Reactor.loop belongs to the reactor's own thread")
    return confined
  }

  /// Whether the caller runs on the reactor's thread.
  public var isCurrent: Bool { clinux_current() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }

  /// Makes the loop turn once, as if a descriptor had fired. Any thread may call it.
  public func wake() {
    let asleep = inbox.withLock { inbox in
      inbox.isWoken = true
      return inbox.isAsleep
    }
    if asleep { signal() }
  }

  /// Runs what is queued, ends the thread and waits for it. Close what lives on the reactor first. A second call does
  /// nothing. Must not be called from the reactor's own thread.
  public func shutdown() {
    precondition(!isCurrent, "a reactor cannot wait for itself")
    guard let joined = thread.withLock({ $0.take() }) else { return }
    inbox.withLock { $0.isStopping = true }
    signal()
    pthread_join(joined, nil)
  }

  // MARK: Executor

  public func enqueue(_ job: consuming ExecutorJob) { append(.job(UnownedJob(job))) }

  /// Runs the work on the reactor's thread, after all that was submitted before it. Any thread may call it; it does not wait.
  ///
  /// Unlike a `Task`, work keeps its order and costs no task.
  public func submit(_ work: @escaping @Sendable () -> Void) { append(.work(work)) }

  private func append(_ entry: Entry) {
    let asleep = inbox.withLock { inbox in
      inbox.entries.append(entry)
      return inbox.isAsleep
    }
    if asleep { signal() }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  public func checkIsolated() { precondition(isCurrent, "not on the reactor's thread") }
  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  private func signal() {
    var one: UInt64 = 1
    // A full counter already wakes the loop, so the result does not matter.
    _ = write(wakeUp, &one, MemoryLayout<UInt64>.size)
  }

  // MARK: Thread

  fileprivate func run() {
    clinux_set_current(Unmanaged.passUnretained(self).toOpaque())
    var entries: [Entry] = []
    while true {
      let stopping = inbox.withLock { inbox in
        inbox.isAsleep = false
        inbox.isWoken = false
        swap(&inbox.entries, &entries)
        return inbox.isStopping
      }
      if stopping && entries.isEmpty { return }
      for entry in entries {
        switch entry {
        case .job(let job):
          job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        case .work(let work): work()
        }
      }
      entries.removeAll(keepingCapacity: true)
      var wait = confined.turn()
      if wait != 0 {
        let mayStay = inbox.withLock { inbox in
          inbox.isAsleep = inbox.entries.isEmpty && !inbox.isStopping && !inbox.isWoken
          return inbox.isAsleep
        }
        if !mayStay { wait = 0 }
      }
      confined.sleep(milliseconds: wait)
    }
  }
}

/// Empties the eventfd that wakes the loop.
private final class WakeUp: Source {
  let descriptor: CInt
  init(descriptor: CInt) { self.descriptor = descriptor }

  func turn(_ events: PollEvents) {
    var count: UInt64 = 0
    _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
  }
}

/// What the new thread is told.
private final class Start {
  let reactor: Reactor
  let name: String
  init(reactor: Reactor, name: String) {
    self.reactor = reactor
    self.name = name
  }
}

/// The thread's entry. It holds the reactor until `shutdown()`.
private func runReactor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
  // Linux allows 15 bytes.
  clinux_name_thread(String(start.name.prefix(15)))
  start.reactor.run()
  return nil
}
