import Reactor
import ZeroMQ

/// An engine's connection to one endpoint: a DEALER socket, and the counts of what is under way on it.
///
/// It hands the frames of calls to its socket, and hands replies, changes of the connection, and room after a refusal up to the
/// engine. What was sent and not answered when the connection goes is lost; replies that came before the end count.
final class BackendConnection: SocketDelegate, MonitorDelegate {
  let endpoint: String
  /// Whether a backend is connected.
  private(set) var isUp = false
  /// It had no room for a call, and has not said yet that it has again.
  private(set) var isFull = false
  /// Calls sent and not ended.
  private(set) var inFlight = 0
  /// Calls that have timed out since the last reply. The backend may still be busy with them.
  private(set) var timeoutsSinceReply = 0
  /// Calls that were cancelled since the last reply. The backend is not told, and may still be busy with them.
  private(set) var cancelledSinceReply = 0
  /// Timeouts in a row: none of them before the last reply, or before a fresh connection was last tried.
  private(set) var timeoutsSinceReconnect = 0
  /// How busy the backend is, as far as one can tell.
  var load: Int { inFlight + timeoutsSinceReply + cancelledSinceReply }
  private weak var engine: CallEngine?
  private let repliesPerTurn: Int
  private let socket: Socket
  private var watch: SocketWatch?
  private var monitor: Monitor?
  private var frames = ReceivedMessage()

  init(
    _ endpoint: String, options: RPCOptions, engine: CallEngine, in context: Context, on loop: Loop
  ) throws {
    self.endpoint = endpoint
    self.engine = engine
    repliesPerTurn = options.repliesPerTurn
    socket = try Socket(.dealer, in: context, options: options.socket)
    monitor = try Monitor(socket, in: context, on: loop, owner: self)
    watch = try SocketWatch(socket, on: loop, owner: self)
    try monitor?.connect(endpoint)
  }

  /// Sends the four frames of a request; false when there is no room, and then nothing was sent.
  func send(_ header: UnsafeRawBufferPointer, _ call: BorrowedCall) -> Bool {
    defer { watch?.touched() }
    do {
      if try socket.send(header, more: true) {
        // When the connection dies between two frames, libzmq takes the message back, refuses this frame and swallows
        // the rest of it: every frame has to be offered.
        var whole = try socket.send(call.method, more: true)
        whole = try socket.send(call.arguments, more: true) && whole
        whole = try socket.send(call.keywords, more: false) && whole
        if whole {
          inFlight += 1
          return true
        }
      }
    } catch {}
    isFull = true
    return false
  }

  func close() {
    monitor?.cancel()
    monitor = nil
    watch?.cancel()
    watch = nil
    isUp = false
  }

  // MARK: The counts

  /// A call that was sent has ended, in whatever way.
  func callEnded() { inFlight -= 1 }

  func callCancelled() { cancelledSinceReply += 1 }

  func callTimedOut() {
    timeoutsSinceReply += 1
    timeoutsSinceReconnect += 1
  }

  /// A reply came, if only a late one.
  func replyCame() {
    timeoutsSinceReply = 0
    cancelledSinceReply = 0
    timeoutsSinceReconnect = 0
  }

  /// A fresh connection has been tried, or would have been had the last not been so short a time ago.
  func replacementTried() { timeoutsSinceReconnect = 0 }

  // MARK: What the socket tells

  func socketTurn() {
    for _ in 0..<repliesPerTurn {
      guard (try? frames.receive(from: socket)) == true else { break }
      engine?.received(frames, from: self)
    }
    frames.clear()
    if isFull, isUp, ((try? socket.readiness) ?? []).contains(.output) {
      isFull = false
      engine?.hasRoom(self)
    }
  }

  func wantsTurn(_ readiness: Socket.Readiness) -> Bool {
    readiness.contains(.input) || (isFull && isUp && readiness.contains(.output))
  }

  func monitor(_ event: Monitor.Event) {
    switch event {
    case .connected:
      isUp = true
      isFull = false
      timeoutsSinceReply = 0
      cancelledSinceReply = 0
    case .disconnected:
      // Replies that came before the end are still in libzmq's queue, and count.
      while (try? frames.receive(from: socket)) == true { engine?.received(frames, from: self) }
      isUp = false
    case .refused: break
    }
    engine?.changed(self, event)
  }
}
