import CLinux
import DequeModule
import Glibc
import Logging
import Reactor

/// The connections of one server whose clients speak TLS, from their first byte to their last.
///
/// A handshake costs as much as dozens of calls: so a few are gone on with in each turn, and whatever else the thread serves has its turn
/// between them.
final class TLSConnections: Source {
  /// What clients may take.
  struct Times {
    let handshake: Duration
    let write: Duration
    let grace: Duration
  }

  /// Bytes that the kernel takes for the client and has not sent yet, roughly: more would be old when a slow one gets it.
  private static let unsent: CInt = 128 << 10
  /// Handshakes that are gone on with in a turn.
  private static let perTurn = 2
  /// Connections beyond the limits in their handshakes: the oldest gives way to the next.
  private static let surplus = 32

  let loop: Loop
  let times: Times
  /// For a piece on its way; of all connections, none of which keeps anything in it.
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
  // Safe: the server closes its connections before it goes.
  private unowned let server: Server
  private let identity: TLSIdentity
  private let openConnections: OpenConnections
  /// Takes those that are open; set once.
  var serve: (Accepted) -> Void = { _ in }
  private var watch: Watch?
  private var open: [ObjectIdentifier: TLSConnection] = [:]
  private var due: Deque<TLSConnection> = []
  private var surplus: [TLSConnection] = []
  private(set) var handshakes = 0

  init(
    _ identity: TLSIdentity, _ openConnections: OpenConnections, of server: Server, on loop: Loop
  ) throws(ReactorError) {
    (self.identity, self.openConnections) = (identity, openConnections)
    (self.server, self.loop) = (server, loop)
    let options = server.options
    times = Times(handshake: options.readTimeout, write: options.writeTimeout, grace: options.halfCloseGrace)
    watch = try loop.watch(nil, self)
  }

  deinit { room.deallocate() }

  /// Whether something is on its way to a client that has not left this machine's memory for connections.
  var hasUnsent: Bool { open.values.contains(where: \.hasUnsent) }

  // MARK: Handshakes

  /// Begins the handshake of a connection that was accepted and counted.
  func take(_ accepted: Accepted) {
    guard let session = identity.credentials.open(accepted.descriptor) else { return end(accepted) }
    var unsent = Self.unsent
    setsockopt(
      accepted.descriptor, CInt(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, socklen_t(MemoryLayout<CInt>.size))
    let connection = TLSConnection(accepted, session, of: self)
    do throws(ReactorError) {
      try connection.start(until: accepted.at + times.handshake)
    } catch {
      server.logger.info("connection closed: it cannot be watched", metadata: ["error": "\(error)"])
      return end(accepted)
    }
    open[ObjectIdentifier(connection)] = connection
    handshakes += 1
    guard accepted.admission.kind == .surplus else { return }
    surplus.append(connection)
    if surplus.count > Self.surplus { surplus[0].close() }
  }

  private func end(_ accepted: Accepted) {
    if accepted.admission.kind == .regular { openConnections.leave(accepted.admission.address) }
    _ = CLinux.close(accepted.descriptor)
  }

  /// The client has sent something.
  func isDue(_ connection: TLSConnection) {
    guard !connection.isDue else { return }
    connection.isDue = true
    due.append(connection)
    watch?.schedule()
  }

  func turn(_ events: PollEvents) {
    for _ in 0..<min(Self.perTurn, due.count) {
      guard let connection = due.popFirst() else { return }
      connection.isDue = false
      connection.shakeHands()
    }
  }

  func isReady() -> Bool { !due.isEmpty }

  /// The handshake is complete: the descriptor, the other end of the pair, is the server's from here on.
  func completed(_ connection: TLSConnection, serving descriptor: CInt, certificate: ClientCertificate?) {
    identity.hasCompleted()
    leaveHandshakes(connection)
    var admission = connection.accepted.admission
    (admission.holdsPlace, admission.certificate) = (false, certificate)
    serve(Accepted(descriptor: descriptor, peer: .local, at: loop.now, admission: admission, tls: connection))
  }

  /// The handshake has failed, or what comes after it before there is anything to serve.
  func failed(_ connection: TLSConnection, _ fault: String) {
    leaveHandshakes(connection)
    let address = connection.accepted.admission.address.text
    server.logger.debug("TLS handshake failed", metadata: ["address": "\(address)", "error": "\(fault)"])
    guard let untold = identity.hasFailed(at: loop.now) else { return }
    server.logger.notice(
      "TLS handshakes fail; this is the last one",
      metadata: ["address": "\(address)", "error": "\(fault)", "count": .stringConvertible(untold)])
  }

  private func leaveHandshakes(_ connection: TLSConnection) {
    handshakes -= 1
    if connection.accepted.admission.kind == .surplus { surplus.removeAll { $0 === connection } }
  }

  // MARK: The end

  /// The connection is closed.
  func ended(_ connection: TLSConnection) {
    if connection.isShakingHands { leaveHandshakes(connection) }
    open[ObjectIdentifier(connection)] = nil
    let admission = connection.accepted.admission
    if admission.kind == .regular { openConnections.leave(admission.address) }
  }

  /// Closes all that are in their handshakes.
  func closeHandshakes() { for connection in open.values where connection.isShakingHands { connection.close() } }

  /// Closes all, after what their clients take at once.
  func close() {
    for connection in Array(open.values) { connection.finish() }
    due = []
    watch?.cancel()
    watch = nil
  }
}

extension clinux_peer {
  /// Of a pair of this process.
  static var local: clinux_peer {
    var peer = clinux_peer()
    peer.address.sin6_family = sa_family_t(AF_UNIX)
    peer.length = socklen_t(MemoryLayout<sa_family_t>.size)
    return peer
  }
}
