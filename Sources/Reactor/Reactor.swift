import CLinux
import Dispatch

/// One thread that runs an epoll loop and is the executor of the actors that live on it.
///
/// Everything such an actor holds is confined to the thread, so it needs no lock. From outside, `await` the actor; from a
/// C callback on the thread, use `assumeIsolated`. The thread starts with `init` and ends with `stop()`, which should come
/// last: afterwards jobs and work run at once on whatever thread brings them, one at a time, so that actors can still be
/// closed and freed, but nothing can be watched any more, no timer fires, and to schedule one is an error. One that is dropped without it keeps
/// its thread and two descriptors until the process ends.
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
    /// The thread has ended.
    var isEnded = false
    /// After the end: a thread is running what has come in.
    var isServed = false
  }

  /// A reactor for those who want none of their own. Made when first asked for, and never stopped.
  public static let shared: Reactor = {
    do {
      return try Reactor(name: "shared", clock: Instant.monotonic, isShared: true)
    } catch {
      // Only without descriptors or memory for a thread; whoever asks for it has nothing to go on with.
      fatalError("the shared reactor cannot start: \(error)")
    }
  }()

  // Safe: only the reactor's own thread uses the loop, and after its end one thread at a time; `loop` checks that.
  private nonisolated(unsafe) let confined: Loop
  private let inbox = Guarded(Inbox())
  private let signal: WakeUp
  private let thread = Guarded<pthread_t?>(nil)
  private let isShared: Bool

  /// Starts the thread. The clock is read after each sleep; tests hand in their own and call `wake()` after moving it.
  public convenience init(
    name: String = "reactor", clock: @escaping @Sendable () -> Instant = Instant.monotonic
  ) throws(ReactorError) {
    try self.init(name: name, clock: clock, isShared: false)
  }

  private init(name: String, clock: @escaping @Sendable () -> Instant, isShared: Bool) throws(ReactorError) {
    self.isShared = isShared
    confined = try Loop(clock: clock)
    signal = try WakeUp()
    confined.reactor = self
    try signal.join(confined)
    let body = Unmanaged.passRetained(Start(reactor: self, name: name))
    var created = pthread_t()
    let failure = pthread_create(&created, nil, runReactor, body.toOpaque())
    guard failure == 0 else {
      body.release()
      throw ReactorError(errno: failure, call: "pthread_create")
    }
    let identifier = created
    thread.withLock { $0 = identifier }
  }

  /// The loop, for code that runs on the reactor's thread. Anywhere else it is a programming error and traps.
  public var loop: Loop {
    precondition(isCurrent, "Reactor.loop belongs to the reactor's own thread")
    return confined
  }

  /// Whether the caller runs on the reactor's thread.
  public var isCurrent: Bool { clinux_current() == identity }

  private var identity: UnsafeRawPointer { UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()) }

  /// Makes the loop turn once, as if a descriptor had fired. Any thread may call it.
  public func wake() {
    let asleep = inbox.withLock { inbox in
      inbox.isWoken = true
      return inbox.isAsleep
    }
    if asleep { signal.send() }
  }

  /// Runs what is queued, ends the thread and returns when it has ended. Close what lives on the reactor first. A second
  /// call does nothing.
  public func stop() async {
    await withCheckedContinuation { done in
      // The wait belongs on a thread that may wait: Swift's own pool has no spare ones.
      DispatchQueue.global().async {
        self.shutdown()
        done.resume()
      }
    }
  }

  /// As `stop()`, for code that is not `async`: it blocks the caller. Must not be called from the reactor's own thread.
  public func shutdown() {
    precondition(!isCurrent, "a reactor cannot wait for itself")
    precondition(!isShared, "the shared reactor is never stopped")
    guard let joined = thread.withLock({ $0.take() }) else { return }
    inbox.withLock { $0.isStopping = true }
    signal.send()
    pthread_join(joined, nil)
  }

  // MARK: Executor

  public func enqueue(_ job: consuming ExecutorJob) { append(.job(UnownedJob(job))) }

  /// Runs the work on the reactor's thread, after all that was submitted before it. Any thread may call it; it does not wait.
  ///
  /// Unlike a `Task`, work keeps its order and costs no task.
  public func submit(_ work: @escaping @Sendable () -> Void) { append(.work(work)) }

  private func append(_ entry: Entry) {
    let (asleep, serves) = inbox.withLock { inbox in
      inbox.entries.append(entry)
      let serves = inbox.isEnded && !inbox.isServed
      if serves { inbox.isServed = true }
      return (inbox.isAsleep, serves)
    }
    if asleep { signal.send() }
    if serves { serve() }
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  public func checkIsolated() { precondition(isCurrent, "not on the reactor's thread") }
  public func isIsolatingCurrentContext() -> Bool? { isCurrent }

  // MARK: Thread

  fileprivate func run() {
    clinux_set_current(identity)
    var entries: [Entry] = []
    while true {
      let stopping = inbox.withLock { inbox in
        inbox.isAsleep = false
        inbox.isWoken = false
        swap(&inbox.entries, &entries)
        guard inbox.isStopping, entries.isEmpty else { return false }
        inbox.isEnded = true
        inbox.isServed = true
        return true
      }
      if stopping { break }
      // After the inbox: what came in while the loop slept must not see the time of before.
      confined.wakeUp()
      run(&entries)
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
    confined.end()
    serve()
  }

  private func run(_ entries: inout [Entry]) {
    for entry in entries {
      switch entry {
      case .job(let job):
        job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      case .work(let work): work()
      }
    }
    entries.removeAll(keepingCapacity: true)
  }

  /// Runs what comes in after the end, on whatever thread brings it.
  private func serve() {
    // A job may let the last reference to the reactor go, and the runtime that enqueued it holds none.
    let kept = Unmanaged.passRetained(self)
    defer { kept.release() }
    let before = clinux_current()
    clinux_set_current(identity)
    defer { clinux_set_current(before) }
    var entries: [Entry] = []
    while true {
      let done = inbox.withLock { inbox in
        swap(&inbox.entries, &entries)
        inbox.isServed = !entries.isEmpty
        return entries.isEmpty
      }
      if done { return }
      confined.wakeUp()
      run(&entries)
    }
  }
}

/// The eventfd that wakes the loop.
private final class WakeUp: Source, Sendable {
  private let descriptor: CInt
  // Safe: set once, before the loop's thread starts.
  private nonisolated(unsafe) var watch: Watch?

  init() throws(ReactorError) {
    descriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw .last("eventfd") }
  }

  deinit {
    watch?.cancel()
    close(descriptor)
  }

  func join(_ loop: Loop) throws(ReactorError) { watch = try loop.watch(descriptor, self) }

  func send() {
    var one: UInt64 = 1
    // A full counter already wakes the loop, so the result does not matter.
    _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
  }

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

/// The thread's entry. It holds the reactor until `stop()`.
private func runReactor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
  // Linux allows 15 bytes.
  clinux_name_thread(String(start.name.prefix(15)))
  start.reactor.run()
  return nil
}
