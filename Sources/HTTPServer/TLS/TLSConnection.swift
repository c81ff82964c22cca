import CLinux
import Glibc
import Reactor

/// A client that speaks TLS. When the handshake is complete its bytes go, in the clear, to one end of a pair of sockets. The other end is
/// served as any connection is: whatever looks at the first bytes, writes past libmicrohttpd or watches the socket works as it does without TLS.
///
/// It holds one piece each way at most, besides what the kernel holds of the pair: who takes nothing is given nothing.
final class TLSConnection: TimerHandler {
  /// Bytes the kernel may hold of the pair each way; it counts its own records of them twice.
  private static let pairMemory: CInt = 32 << 10
  /// Pieces each way before others have their turn.
  private static let piecesPerTurn = 4
  /// Between two looks whether the server has closed as well.
  private static let shortestGrace = Duration.milliseconds(10)

  /// What was accepted: the client's own socket.
  let accepted: Accepted
  private(set) var isShakingHands = true
  /// Whether it waits for its turn to go on with the handshake.
  var isDue = false
  // Safe: it lets go of all its connections before it goes.
  private unowned let all: TLSConnections
  private let session: TLSSession
  private var isOver = false
  private var client: SocketSide?
  /// This end of the pair; nil before the handshake is complete.
  private var server: SocketSide?
  private var timer: Timer?
  /// Called when the client has shut down its half or closed, be there still bytes of it that nobody has taken.
  var clientLeft: () -> Void = {}
  private var restTime: RestTime
  /// What came from the client, and the pair had no room for.
  private var rest: [UInt8] = []
  private var clientHasEnded = false
  private var serverHasEnded = false
  /// The other end of the pair is closed, and not only half of it.
  private var serverIsGone = false
  /// GnuTLS has a record that the client's socket had no room for.
  private var isFlushing = false
  private var hasSaidEnd = false
  /// What was not taken in time is to be thrown away.
  private var isDiscarding = false

  init(_ accepted: Accepted, _ session: consuming TLSSession, of all: TLSConnections) {
    self.accepted = accepted
    self.session = session
    self.all = all
    restTime = RestTime(all.times.write)
  }

  func start(until deadline: Instant) throws(ReactorError) {
    client = try side(accepted.descriptor) { $0.clientSaw($1) }
    timer = all.loop.schedule(at: deadline, self)
  }

  private func side(
    _ descriptor: CInt, _ saw: @escaping (TLSConnection, PollEvents) -> Void
  ) throws(ReactorError) -> SocketSide {
    // Safe: `all` keeps this until `close`, which ends both sides.
    let (sees, isReady) = ({ [unowned self] (events: PollEvents) in saw(self, events) }, { [unowned self] in hasMore })
    return try SocketSide(descriptor, on: all.loop, sees, isReady: isReady)
  }

  // MARK: Handshake

  /// Goes on with the handshake, as far as the client has come.
  func shakeHands() {
    guard isShakingHands, !isOver else { return }
    if PlainRequest.begins(at: accepted.descriptor) {
      PlainRequest.refuse(accepted.descriptor)
      return fail("the client speaks HTTP without TLS")
    }
    switch session.shakeHands() {
    case .waits: break
    case .broken: fail(session.fault)
    case .done: open()
    }
  }

  private func fail(_ fault: String) {
    isShakingHands = false
    all.failed(self, fault)
    // Nothing is sent any more, and what the client still sends is thrown away for a while: unread, it would have the kernel throw away
    // why it was refused.
    (serverHasEnded, serverIsGone, hasSaidEnd) = (true, true, true)
    shutdown(accepted.descriptor, CInt(SHUT_WR))
    expectClient()
  }

  private func open() {
    isShakingHands = false
    cancelTimer()
    guard let pair = SocketPair(memory: Self.pairMemory) else {
      all.failed(self, "no descriptor is free")
      return close()
    }
    do throws(ReactorError) {
      server = try side(pair.own) { $0.serverSaw($1) }
    } catch {
      pair.close()
      all.failed(self, "\(error)")
      return close()
    }
    // Most have sent their request with the end of the handshake.
    receive()
    guard !isOver else { _ = CLinux.close(pair.other); return }
    all.completed(self, serving: pair.other, certificate: session.clientCertificate)
  }

  // MARK: Turns

  private func clientSaw(_ events: PollEvents) {
    guard !isOver else { return }
    guard events.isDisjoint(with: [.hangUp, .failed]) else {
      if isShakingHands { all.failed(self, "the client has left") }
      isShakingHands = false
      return close()
    }
    if isShakingHands { return all.isDue(self) }
    if events.contains(.peerClosed) { clientLeft() }
    if !isOver { carry() }
  }

  private func serverSaw(_ events: PollEvents) {
    guard !isOver else { return }
    if !events.isDisjoint(with: [.hangUp, .failed]) {
      serverIsGone = true
      if isDiscarding { return reset() }
      expectRest()
    }
    carry()
  }

  private func carry() {
    receive()
    send()
    if hasSaidEnd, clientHasEnded, serverIsGone { close() }
  }

  /// Whether it can go on at once.
  private var hasMore: Bool {
    guard !isOver, !isShakingHands, let client else { return false }
    let receives = rest.isEmpty ? client.isReadable && !clientHasEnded : server?.isWritable == true
    let sends =
      isFlushing || serverHasEnded ? client.isWritable && !hasSaidEnd : server?.isReadable == true
    return receives || sends
  }

  // MARK: From the client

  private func receive() {
    for _ in 0..<Self.piecesPerTurn where !isOver {
      if !rest.isEmpty {
        guard server?.isWritable == true else { return }
        let kept = rest
        rest = []
        kept.withUnsafeBytes(forward)
        continue
      }
      guard !clientHasEnded, let client, client.isReadable else { return }
      switch hasSaidEnd && server == nil ? client.discard(into: all.room) : session.receive(into: all.room) {
      case .bytes(let count): forward(UnsafeRawBufferPointer(rebasing: all.room[..<count]))
      case .waits: return client.isReadable = false
      case .broken: return close()
      case .end:
        clientHasEnded = true
        if let server { shutdown(server.descriptor, CInt(SHUT_WR)) }
        if hasSaidEnd, serverIsGone { close() }
      }
    }
  }

  /// Hands bytes to the server, which may take no more of them.
  private func forward(_ bytes: UnsafeRawBufferPointer) {
    guard let server, !serverIsGone else { return }
    let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
    let count = Glibc.send(server.descriptor, bytes.baseAddress, bytes.count, flags)
    if count < 0, errno != EAGAIN, errno != EINTR { return }
    guard count < bytes.count else { return }
    server.isWritable = false
    rest = Array(bytes[max(0, count)...])
  }

  // MARK: To the client

  private func send() {
    for _ in 0..<Self.piecesPerTurn where !isOver {
      guard let client, !hasSaidEnd else { return }
      if isFlushing {
        guard client.isWritable, went(session.flush(), bytes: session.recordSize) else { return }
        isFlushing = false
        continue
      }
      if serverHasEnded {
        guard client.isWritable, went(session.end(), bytes: 0) else { return }
        hasSaidEnd = true
        shutdown(accepted.descriptor, CInt(SHUT_WR))
        return clientHasEnded && serverIsGone ? close() : expectClient()
      }
      guard let server, server.isReadable else { return }
      let count = recv(server.descriptor, all.room.baseAddress, min(all.room.count, session.recordSize), 0)
      if count > 0 {
        let piece = UnsafeRawBufferPointer(rebasing: all.room[..<count])
        guard went(session.send(piece), bytes: count) else { return isFlushing = !isOver }
      } else if count < 0, errno == EAGAIN || errno == EINTR {
        return server.isReadable = false
      } else {
        serverHasEnded = true
        expectRest()
      }
    }
  }

  /// The server sends no more: what waits for the client has its time from here on.
  private func expectRest() {
    guard !restTime.hasBegun, !hasSaidEnd else { return }
    restTime.begin(at: all.loop.now)
    schedule(at: restTime.end)
  }

  /// Whether the client's socket has taken it.
  private func went(_ progress: TLSSession.Progress, bytes: Int) -> Bool {
    switch progress {
    case .done:
      restTime.took(bytes, at: all.loop.now)
      return true
    case .waits: client?.isWritable = false
    case .broken: close()
    }
    return false
  }

  /// Whether something is on its way to the client that the client's socket has had no room for.
  var hasUnsent: Bool { !isShakingHands && !hasSaidEnd && (isFlushing || serverHasEnded || server?.isReadable == true) }

  /// How far the client has come: what waits here has not been taken. Nil when the connection is closed.
  var progress: clinux_progress? {
    // Its number may be another one's by now.
    guard !isOver else { return nil }
    var progress = clinux_progress_of(accepted.descriptor)
    let waiting = (server.map { clinux_unread($0.descriptor) } ?? 0) + (isFlushing ? UInt32(session.recordSize) : 0)
    progress.unsent += waiting
    progress.held += waiting
    return progress
  }

  /// What waits for the client is thrown away when the server ends the connection: too little of it was taken.
  func discardUnsent() { isDiscarding = true }

  // MARK: The end

  /// Waits a while for the client to end its half: what it still sends is taken, so that the kernel throws nothing away that is on its
  /// way to it.
  private func expectClient() { schedule(at: all.loop.now + max(all.times.grace, Self.shortestGrace)) }

  private func schedule(at instant: Instant) {
    cancelTimer()
    timer = all.loop.schedule(at: instant, self)
  }

  private func cancelTimer() {
    if let timer { all.loop.cancel(timer) }
    timer = nil
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    if isShakingHands { return fail("the client took longer than http.limits.read-timeout") }
    if !hasSaidEnd { return all.loop.now < restTime.end ? schedule(at: restTime.end) : reset() }
    // The server may be waiting for the client by itself.
    serverIsGone ? close() : expectClient()
  }

  /// Sends what the client takes at once, and closes.
  func finish() {
    // What was written in this turn has not been reported yet.
    server?.isReadable = true
    for _ in 0..<64 where !isOver && hasUnsent && client?.isWritable == true { send() }
    close()
  }

  private func reset() {
    resetWhenClosed(accepted.descriptor)
    close()
  }

  /// Closes both ends at once.
  func close() {
    guard !isOver else { return }
    isOver = true
    cancelTimer()
    client?.cancel()
    server?.cancel()
    if let server { _ = CLinux.close(server.descriptor) }
    _ = CLinux.close(accepted.descriptor)
    all.ended(self)
  }
}
