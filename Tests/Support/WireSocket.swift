import Reactor
public import ZeroMQ

/// A real ZeroMQ socket that a test drives frame by frame, on a reactor of its own.
public actor WireSocket {
  public nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private var socket: Socket?
  private var watch: SocketWatch?
  private let inbox = Inbox()
  private let context: Context
  private nonisolated let isOpen = Guarded<Void?>(())

  /// Where it was bound or connected, wildcards resolved.
  public private(set) var endpoint = ""

  /// Binds, or connects.
  public init(
    _ kind: SocketKind, bind: String? = nil, connect: String? = nil, options: SocketOptions = .init(),
    in context: Context? = nil
  ) async throws {
    self.context = try context ?? Context()
    reactor = try Reactor(name: "wire")
    unownedExecutor = reactor.asUnownedSerialExecutor()
    do {
      try open(kind, bind, connect, options)
    } catch {
      await close()
      throw error
    }
  }

  private func open(_ kind: SocketKind, _ bind: String?, _ connect: String?, _ options: SocketOptions) throws {
    let socket = try Socket(kind, in: context, options: options)
    self.socket = socket
    inbox.socket = socket
    watch = try SocketWatch(socket, on: reactor.loop, owner: inbox)
    if let bind { endpoint = try socket.bind(bind) }
    if let connect {
      try socket.connect(connect)
      endpoint = connect
    }
  }

  /// Sends one message; false when there is no room or no peer.
  @discardableResult
  public func send(_ frames: [[UInt8]]) throws -> Bool {
    defer { watch?.touched() }
    guard let socket else { return false }
    for (index, frame) in frames.enumerated() {
      let sent = try frame.withUnsafeBytes { try socket.send($0, more: index < frames.count - 1) }
      if !sent { return false }
    }
    return true
  }

  /// The next message, waiting for it.
  public func receive() async throws -> [[UInt8]] {
    if let message = receiveNow() { return message }
    let deadline = reactor.loop.schedule(at: reactor.loop.now + .seconds(10), inbox)
    defer { reactor.loop.cancel(deadline) }
    return try await withCheckedThrowingContinuation { waiter in
      // The actor may have been left on the way here, and a message may have come.
      if let message = receiveNow() { waiter.resume(returning: message) } else { inbox.waiters.append(waiter) }
    }
  }

  /// The next message if it is there.
  public func receiveNow() -> [[UInt8]]? { inbox.messages.isEmpty ? nil : inbox.messages.removeFirst() }

  /// How many messages wait.
  public var waiting: Int { inbox.messages.count }

  /// Leaves messages in libzmq's queues from now on, or no longer.
  public func pause(_ isPaused: Bool) {
    inbox.isPaused = isPaused
    watch?.touched()
  }

  public func subscribe(_ prefix: String) throws {
    try socket?.subscribe(Array(prefix.utf8))
    watch?.touched()
  }

  /// Closes the socket and ends its thread.
  public nonisolated func close() async {
    guard isOpen.withLock({ $0.take() }) != nil else { return }
    await closeSocket()
    try? await offThread { [reactor] in reactor.shutdown() }
  }

  private func closeSocket() {
    watch?.cancel()
    watch = nil
    inbox.socket = nil
    socket = nil
  }
}

private final class Inbox: SocketDelegate, TimerHandler {
  var socket: Socket?
  var messages: [[[UInt8]]] = []
  var waiters: [CheckedContinuation<[[UInt8]], any Error>] = []
  var isPaused = false
  private var frames = ReceivedMessage()

  func socketTurn() {
    guard let socket, !isPaused else { return }
    while (try? frames.receive(from: socket)) == true {
      let message = (0..<frames.count).map { Array(frames[$0]) }
      if waiters.isEmpty { messages.append(message) } else { waiters.removeFirst().resume(returning: message) }
    }
  }

  func fired(_ deadline: Timer) {
    for waiter in waiters { waiter.resume(throwing: TimedOut("no message comes")) }
    waiters = []
  }

  func wantsTurn(_ readiness: Socket.Readiness) -> Bool { !isPaused && readiness.contains(.input) }
}
