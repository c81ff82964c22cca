import CLinux
import Glibc
import Logging
import Reactor

/// Accepts the connections of one listening socket, counts them, and hands each to the server when `Acceptor` can tell from its
/// first bytes where it belongs. Until then it waits here, at most the read timeout.
///
/// A connection beyond a limit is surplus: it holds no place, and there is room for a few only. Of those that say nothing the
/// oldest gives way to the next, so that whoever asks at once is heard however many are silent.
final class AcceptQueue: Source, TimerHandler {
  /// Connections beyond the limits that wait to say something; that have, and are told that there are too many; and that asked
  /// for what is answered even then.
  private static let (silent, refused, reserved) = (32, 32, 16)
  /// The most connections that are open beyond the limits.
  static let surplus = silent + refused + reserved
  /// Connections accepted in one turn.
  private static let perTurn = 32
  /// How long nothing is accepted when no descriptor is free.
  private static let pause = Duration.milliseconds(100)
  private static let betweenWarnings = Duration.seconds(60)

  // Safe: the server closes its queue before it goes.
  private unowned let server: Server
  private let listener: CInt
  private let acceptor: Acceptor
  private let openConnections: OpenConnections
  /// Those whose clients speak TLS; nil where they do not.
  private let tls: TLSConnections?
  private let loop: Loop
  private var watch: Watch?
  /// Accepted, and not handed over yet, by descriptor.
  private var waiting: [CInt: WaitingConnection] = [:]
  /// Those of them that are surplus, the oldest first.
  private var waitingSurplus: [WaitingConnection] = []
  /// Handed over, and surplus.
  private var handedOver = (refused: 0, reserved: 0)
  /// Runs while nothing is accepted.
  private var resumption: Timer?
  private var warnsAgain = Instant(nanoseconds: .min)

  /// Accepts from now on. The listener is closed by `stopAccepting`.
  init(
    _ listener: Listener, acceptor: Acceptor, openConnections: OpenConnections, tls: TLSConnections?, server: Server,
    on loop: Loop
  ) throws(ReactorError) {
    self.listener = listener.descriptor
    self.acceptor = acceptor
    self.openConnections = openConnections
    self.server = server
    self.tls = tls
    self.loop = loop
    watch = try loop.watch(listener.descriptor, self)
  }

  /// Connections that are not handed over yet.
  var count: Int { waiting.count + (tls?.handshakes ?? 0) }

  /// Accepts what the kernel has, and nothing after it: later connections are refused by the kernel.
  func stopAccepting() {
    guard let open = watch.take() else { return }
    var left = Listener.backlog
    while left > 0, accept() { left -= 1 }
    open.cancel()
    if let resumption { loop.cancel(resumption) }
    resumption = nil
    _ = CLinux.close(listener)
  }

  /// Closes what has not been handed over.
  func close() {
    stopAccepting()
    tls?.closeHandshakes()
    for connection in Array(waiting.values) { drop(connection) }
  }

  // MARK: Accepting

  func turn(_ events: PollEvents) {
    guard resumption == nil else { return }
    for _ in 0..<Self.perTurn where !accept() { return }
  }

  /// Accepts one connection; false when there is none.
  private func accept() -> Bool {
    var peer = clinux_peer()
    let descriptor = clinux_accept(listener, &peer)
    guard descriptor >= 0 else { return isWorthAnother(clinux_errno()) }
    let address = ClientAddress(peer)
    let admission = Admission(openConnections.enter(address) ? .regular : .surplus, address)
    let accepted = Accepted(descriptor: descriptor, peer: peer, at: loop.now, admission: admission)
    if let tls { tls.take(accepted) } else { receive(accepted) }
    return true
  }

  /// Hands over a connection that was accepted, now or when its first bytes say where it belongs.
  func receive(_ accepted: Accepted) {
    // Most have sent their request when they are accepted.
    switch look(at: accepted) {
    case .belongs(let destination, let beginsWithLine): handOver(accepted, to: destination, beginsWithLine)
    case .isGone: end(accepted)
    case .waits: wait(accepted)
    }
  }

  /// Whether the next call may have a connection, after one that failed: some errors are those of a connection that is gone.
  private func isWorthAnother(_ errno: CInt) -> Bool {
    switch errno {
    case EAGAIN: return false
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: break
    // Of the listener itself: nothing will come of it.
    case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT: break
    default: return true
    }
    // The connection stays in the kernel's queue, which would wake the loop at once.
    guard let watch, resumption == nil else { return false }
    watch.change(to: [])
    resumption = loop.schedule(at: loop.now + Self.pause, self)
    if loop.now >= warnsAgain {
      warnsAgain = loop.now + Self.betweenWarnings
      server.logger.warning(
        "connections wait, for none can be accepted: raise the limit on open files (ulimit -n) or lower http.limits.connections",
        metadata: ["error": "\(String(cString: strerror(errno)))"])
    }
    return false
  }

  func fired(_ timer: Timer) {
    resumption = nil
    watch?.change(to: .readable)
  }

  // MARK: Waiting

  /// Holds the connection until its first bytes say enough.
  private func wait(_ accepted: Accepted) {
    let connection = WaitingConnection(accepted, queue: self)
    do throws(ReactorError) {
      try connection.start(until: accepted.at + server.options.readTimeout, on: loop)
    } catch {
      server.logger.info("connection closed: it cannot be watched", metadata: ["error": "\(error)"])
      return end(accepted)
    }
    waiting[accepted.descriptor] = connection
    guard accepted.admission.kind == .surplus else { return }
    waitingSurplus.append(connection)
    if waitingSurplus.count > Self.silent { drop(waitingSurplus[0]) }
  }

  /// Bytes have come, or the end of them.
  func stirred(_ connection: WaitingConnection, hasEnded: Bool) {
    switch look(at: connection.accepted, hasEnded: hasEnded) {
    case .belongs(let destination, let beginsWithLine):
      forget(connection)
      handOver(connection.accepted, to: destination, beginsWithLine)
    case .isGone: drop(connection)
    case .waits: break
    }
  }

  /// Closes a connection that waits.
  func drop(_ connection: WaitingConnection) {
    forget(connection)
    end(connection.accepted)
  }

  private func forget(_ connection: WaitingConnection) {
    connection.cancel()
    waiting[connection.accepted.descriptor] = nil
    if connection.accepted.admission.kind == .surplus { waitingSurplus.removeAll { $0 === connection } }
  }

  private enum Look { case belongs(Acceptor.Destination, beginsWithLine: Bool), waits, isGone }

  /// Looks at the first bytes, and leaves them where they are.
  private func look(at accepted: Accepted, hasEnded: Bool = false) -> Look {
    withUnsafeTemporaryAllocation(byteCount: Acceptor.longestLook, alignment: 1) { room in
      let count = recv(accepted.descriptor, room.baseAddress, room.count, CInt(MSG_PEEK))
      if count < 0 { return clinux_errno() == EAGAIN || clinux_errno() == EINTR ? .waits : .isGone }
      guard count > 0 else { return .isGone }
      let destination = acceptor.destination(
        of: UnsafeRawBufferPointer(rebasing: room[..<count]), isSurplus: accepted.admission.kind == .surplus,
        hasEnded: hasEnded)
      let isEmptyLine = room[0] == UInt8(ascii: "\r") || room[0] == UInt8(ascii: "\n")
      return destination.map { .belongs($0, beginsWithLine: !isEmptyLine) } ?? .waits
    }
  }

  // MARK: Handing over

  private func handOver(_ accepted: Accepted, to destination: Acceptor.Destination, _ beginsWithLine: Bool) {
    var accepted = accepted
    accepted.admission.beginsWithLine = beginsWithLine
    if accepted.admission.kind == .surplus {
      if destination == .reserve {
        guard handedOver.reserved < Self.reserved else { return end(accepted) }
        handedOver.reserved += 1
        accepted.admission.kind = .reserved
      } else {
        guard handedOver.refused < Self.refused else { return end(accepted) }
        handedOver.refused += 1
      }
    }
    server.take(accepted, isStream: destination == .streams)
  }

  /// A connection that was handed over is closed.
  func closed(_ admission: Admission) {
    switch admission.kind {
    case .regular: leave(admission)
    case .surplus: handedOver.refused -= 1
    case .reserved: handedOver.reserved -= 1
    }
  }

  /// Closes a connection that was not handed over.
  private func end(_ accepted: Accepted) {
    if accepted.admission.kind == .regular { leave(accepted.admission) }
    _ = CLinux.close(accepted.descriptor)
  }

  private func leave(_ admission: Admission) { if admission.holdsPlace { openConnections.leave(admission.address) } }
}

/// A connection that was accepted.
struct Accepted {
  let descriptor: CInt
  let peer: clinux_peer
  /// When it was accepted: from then on its first head is waited for.
  let at: Instant
  var admission: Admission
  /// What stands between the client's own socket and the descriptor; nil: nothing.
  var tls: TLSConnection?
}

/// As what a connection was let in, and how it is counted.
struct Admission {
  enum Kind {
    /// It may ask for what it likes: it is within the limits.
    case regular
    /// Its request is refused: it is beyond a limit.
    case surplus
    /// It is beyond a limit, and has asked for what is answered even then.
    case reserved
  }

  var kind: Kind
  let address: ClientAddress
  /// Whether its end gives a place back; else that comes with the end of the client's own socket.
  var holdsPlace = true
  /// What the client has shown in the handshake; nil: nothing.
  var certificate: ClientCertificate?
  /// Whether no empty lines come before its first request.
  var beginsWithLine = false

  /// Whether a request is refused because there are too many connections. In the reserve is no time to wait for a body.
  func refuses(announcingBody: Bool) -> Bool { kind == .surplus || kind == .reserved && announcingBody }

  init(_ kind: Kind, _ address: ClientAddress) {
    self.kind = kind
    self.address = address
  }
}
