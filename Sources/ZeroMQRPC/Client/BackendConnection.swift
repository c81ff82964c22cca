import Reactor
import ZeroMQ

/// A client's connection to one endpoint: a DEALER, its monitor, and what is in flight on it.
final class BackendConnection: SocketDelegate, MonitorDelegate {
  let endpoint: String
  /// Whether a backend is connected.
  private(set) var isUp = false
  /// Calls sent and not answered.
  var inFlight = 0
  /// Deadlines that have passed since the last reply. What was asked then may still be in the backend's way.
  var unanswered = 0
  /// The same, since the connection was last replaced.
  var deadlinesInARow = 0
  /// libzmq has no room for it, until the socket says otherwise.
  var isFull = false
  /// How busy the backend is, as far as one can tell.
  var load: Int { inFlight + unanswered }
  /// Takes no new calls; it is closed when its last one ends.
  var isRetired = false
  /// The connection that will follow this one as soon as it stands.
  var replacement: BackendConnection?
  private unowned let client: CallEngine
  private let socket: Socket
  private var watch: SocketWatch?
  private var monitor: Monitor?
  private var frames = ReceivedMessage()

  init(_ endpoint: String, client: CallEngine) throws {
    self.endpoint = endpoint
    self.client = client
    socket = try Socket(.dealer, in: client.context, options: client.options.socket)
    monitor = try Monitor(socket, in: client.context, on: client.loop, owner: self)
    watch = try SocketWatch(socket, on: client.loop, owner: self)
    try monitor?.connect(endpoint)
  }

  /// Sends the four frames of a request; false when there is no room, and then nothing was sent.
  func send(
    _ header: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer, _ arguments: UnsafeRawBufferPointer,
    _ keywords: UnsafeRawBufferPointer
  ) -> Bool {
    defer { touched() }
    do {
      guard try socket.send(header, more: true) else { return false }
      // When the connection dies between two frames, libzmq takes the message back, refuses this frame and swallows
      // the rest of it: every frame has to be offered.
      var whole = try socket.send(method, more: true)
      whole = try socket.send(arguments, more: true) && whole
      whole = try socket.send(keywords, more: false) && whole
      if whole { inFlight += 1 }
      return whole
    } catch {
      return false
    }
  }

  func touched() { watch?.touched() }

  func close() {
    replacement?.close()
    replacement = nil
    monitor?.cancel()
    monitor = nil
    watch?.cancel()
    watch = nil
    isUp = false
  }

  func socketTurn() {
    for _ in 0..<client.options.repliesPerTurn {
      guard (try? frames.receive(from: socket)) == true else { break }
      client.received(frames, from: self)
    }
    frames.clear()
    if isFull, isUp, socket.readiness.contains(.output) { client.drained(self) }
  }

  func wantsTurn(_ readiness: Socket.Readiness) -> Bool {
    readiness.contains(.input) || (isFull && isUp && readiness.contains(.output))
  }

  func monitor(_ event: Monitor.Event) {
    switch event {
    case .connected:
      isUp = true
      isFull = false
      unanswered = 0
    case .disconnected:
      // Replies that came before the end are still in libzmq's queue, and count.
      while (try? frames.receive(from: socket)) == true { client.received(frames, from: self) }
      isUp = false
    case .refused: break
    }
    client.changed(self, event)
  }
}
