import CZeroMQ
import Reactor

/// Owns one libzmq context: its I/O threads, and the namespace of `inproc` endpoints. Any thread may use it.
///
/// One context serves a process (`zmq(7)`); `shared` is there for that. It ends with `close(within:)`, or when the last reference
/// goes; sockets hold one, so they close first. A program that sends to the last should call `close(within:)` before it
/// exits: the messages of closed sockets leave until then, as long as their linger allows.
public final class Context: Sendable {
  private struct State {
    var isClosing = false
    var isClosed = false
    /// libzmq has started its threads.
    var isStarted = false
    var waiters: [Waiter<Bool>] = []
  }

  /// A context for those who want none of their own. Made when first asked for, and never ended.
  public static let shared: Context = {
    do {
      return try Context(threads: 1, sockets: 1_023, isShared: true)
    } catch {
      // There is nobody to throw to, and nothing of this library works without it: libzmq is too old, or there is no memory.
      fatalError("the shared context cannot be made: \(error)")
    }
  }()

  // Safe: libzmq contexts are thread safe by contract, and `state` keeps everyone off it once it is being ended.
  private nonisolated(unsafe) let raw: UnsafeMutableRawPointer
  private let isShared: Bool
  private let isBorrowed: Bool
  private let state = Guarded(State())
  /// Those of its transports.
  let places: ContextPlaces

  /// Creates a context with that many I/O threads and room for that many transports or streams. Each takes a descriptor for every of the three
  /// sockets of libzmq's that it consists of, and more for its connections; mind the limit on open files (`ulimit -n`). Throws `notSupported`
  /// where libzmq is older than `Version.oldestLibzmq`.
  public convenience init(threads: Int = 1, sockets: Int = 1_023) throws(ZMQError) {
    try self.init(threads: threads, sockets: sockets, isShared: false)
  }

  private init(threads: Int, sockets: Int, isShared: Bool) throws(ZMQError) {
    try Version.requireUsable()
    guard let raw = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
    self.raw = raw
    places = ContextPlaces(sockets)
    self.isShared = isShared
    isBorrowed = false
    try check("zmq_ctx_set(ZMQ_IO_THREADS, \(threads))") { zmq_ctx_set(raw, ZMQ_IO_THREADS, CInt(clamping: threads)) }
    let limit = CInt(clamping: Self.limit(for: sockets))
    try check("zmq_ctx_set(ZMQ_MAX_SOCKETS, \(limit))") { zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, limit) }
  }

  /// How many sockets of libzmq's those are: each transport has two for its monitor, and for a moment two more when others begin to listen to
  /// it, or listen no more.
  private static func limit(for sockets: Int) -> Int {
    sockets > 0 ? min(sockets, Int(CInt.max) / 8) * 5 + 2 : sockets
  }

  /// Uses a context that C has made. Who made it ends it, when its sockets are closed.
  public init(adopting raw: UnsafeMutableRawPointer) {
    self.raw = raw
    places = ContextPlaces(.max)
    (isShared, isBorrowed) = (false, true)
  }

  deinit {
    // Nobody holds it, so nobody has closed it unless the end is under way.
    if !isBorrowed, !state.withLock({ $0.isClosing }) { Self.end(raw) {} }
  }

  /// Longer than any process lives, and not too long for a clock.
  private static let longestWait = Duration.seconds(1 << 31)

  /// Ends the context and returns when libzmq has let go of everything: true, or false when that takes longer than the limit;
  /// then it goes on by itself. Close the sockets first: those that are still open fail with `terminated`, and are waited for.
  @discardableResult
  public func close(within limit: Duration) async -> Bool {
    precondition(!isShared, "the shared context is never ended")
    precondition(!isBorrowed, "a context that C has made is ended by C")
    let isFirst = state.withLock { state in
      defer { state.isClosing = true }
      return !state.isClosing
    }
    if isFirst {
      Self.end(raw) { [self] in
        let waiters = state.withLock { state in
          state.isClosed = true
          return state.waiters
        }
        for waiter in waiters { waiter.resume(true) }
      }
    }
    let waiter = Waiter<Bool>()
    let timer = Task {
      // Cancelled when the end comes first; then the answer has been given.
      try? await Task.sleep(for: min(limit, Self.longestWait))
      waiter.resume(false)
    }
    defer { timer.cancel() }
    let isClosed = state.withLock { state in
      if !state.isClosed { state.waiters.append(waiter) }
      return state.isClosed
    }
    if isClosed { waiter.resume(true) }
    return await waiter.wait()
  }

  /// A new socket of libzmq's.
  func socket(_ kind: SocketKind) throws(ZMQError) -> UnsafeMutableRawPointer {
    // Safe: it is handed out once. Made under the lock, so that the context cannot end meanwhile.
    nonisolated(unsafe) var socket: UnsafeMutableRawPointer?
    try state.withLock { state throws(ZMQError) in
      guard !state.isClosing else { throw ZMQError(code: .terminated, call: "a socket of a closed context") }
      if !state.isStarted { try requireThreads() }
      socket = zmq_socket(raw, kind.rawValue)
      if socket == nil { throw .last("zmq_socket") }
      state.isStarted = true
    }
    guard let socket else { throw ZMQError(code: .terminated, call: "zmq_socket") }
    return socket
  }

  /// With the first socket libzmq starts its threads. Each takes two descriptors, and without the second one it ends the process.
  private func requireThreads() throws(ZMQError) {
    let threads = Int(zmq_ctx_get(raw, ZMQ_IO_THREADS))
    // That which closes sockets, and the socket.
    try FreeDescriptors.require(2 * threads + 2 + 1, for: "the first socket of a context")
  }

  /// Ends a context on a thread of its own: libzmq waits there for the linger of closed sockets, which may be for ever.
  private static func end(_ raw: UnsafeMutableRawPointer, done: @escaping @Sendable () -> Void) {
    // Safe: nobody else uses it any more.
    nonisolated(unsafe) let raw = raw
    do {
      try startThread(name: "zmq-end") {
        while zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {}
        done()
      }
    } catch {
      // No thread to be had: the context stays, which harms nobody but the process that is out of threads anyway.
      done()
    }
  }
}
