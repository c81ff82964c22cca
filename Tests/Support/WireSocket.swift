import Reactor
public import ZeroMQ

/// A real ZeroMQ socket that a test drives frame by frame, on a reactor of its own.
public actor WireSocket {
  public nonisolated let unownedExecutor: UnownedSerialExecutor
  private nonisolated let reactor: Reactor
  private nonisolated let context: Context
  private nonisolated let ownsContext: Bool
  private nonisolated let isOpen = Guarded<Void?>(())
  private let inbox = Inbox()
  private var socket: LoopSocket?

  /// Where it was bound or connected, wildcards resolved.
  public private(set) var endpoint = ""

  /// Binds, or connects.
  public init(
    _ kind: SocketKind, bind: String? = nil, connect: String? = nil, options: SocketOptions = .init(),
    in context: Context? = nil
  ) async throws {
    ownsContext = context == nil
    self.context = try context ?? Context()
    reactor = try Reactor(name: "wire")
    unownedExecutor = reactor.asUnownedSerialExecutor()
    do {
      let end = Instant.monotonic() + patience
      while true {
        do {
          try open(kind, bind, connect, options)
          break
        } catch let error as ZMQError where error.code == .addressInUse && Instant.monotonic() < end {
          // libzmq lets go of an endpoint some time after the socket there was closed.
          await Task.yield()
        }
      }
    } catch {
      await close()
      throw error
    }
  }

  private func open(_ kind: SocketKind, _ bind: String?, _ connect: String?, _ options: SocketOptions) throws {
    // As the sockets of clients and services, whose endpoints may be spelled as IPv6.
    var options = options
    options.ipv6 = true
    let socket = try LoopSocket(kind, options: options, in: context, on: reactor.loop)
    socket.delegate = inbox
    self.socket = socket
    if let bind { endpoint = try socket.bind(Endpoint(bind)).description }
    if let connect {
      try socket.connect(Endpoint(connect))
      endpoint = connect
    }
  }

  /// Sends one message; false when there is no room or no peer, or the socket is closed.
  @discardableResult
  public func send(_ frames: [[UInt8]]) throws -> Bool { try socket?.send(frames) ?? false }

  /// The next message, waiting for it.
  public func receive() async throws -> [[UInt8]] {
    if let message = receiveNow() { return message }
    let deadline = reactor.loop.schedule(at: reactor.loop.now + patience, inbox)
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
  public func pause(_ isPaused: Bool) { socket?.isReading = !isPaused }

  public func subscribe(_ prefix: String) throws { try socket?.subscribe(Array(prefix.utf8)) }

  /// Closes the socket, ends its thread, and waits until libzmq has let go.
  public nonisolated func close() async {
    guard isOpen.withLock({ $0.take() }) != nil else { return }
    await closeSocket()
    await reactor.stop()
    if ownsContext { await context.close(within: .seconds(5)) }
  }

  private func closeSocket() {
    socket?.close()
    socket = nil
  }
}

private final class Inbox: LoopSocketDelegate, TimerHandler {
  var messages: [[[UInt8]]] = []
  var waiters: [CheckedContinuation<[[UInt8]], any Error>] = []

  func messageReceived(_ message: borrowing ReceivedMessage, on socket: LoopSocket) {
    var frames: [[UInt8]] = []
    for index in 0..<message.count { frames.append(Array(message[index])) }
    if waiters.isEmpty { messages.append(frames) } else { waiters.removeFirst().resume(returning: frames) }
  }

  func fired(_ deadline: Timer) {
    for waiter in waiters { waiter.resume(throwing: TimedOut("no message comes")) }
    waiters = []
  }
}
