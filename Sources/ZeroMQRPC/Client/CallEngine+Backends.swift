import Logging
import Reactor
import ZeroMQ

/// Which backend gets a call, and what becomes of calls when backends come and go.
extension CallEngine {
  private static let betweenReplacements = Duration.seconds(1)

  /// Sends to a backend with room; nil when none has any, or others wait already.
  func send(
    _ header: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer, _ arguments: UnsafeRawBufferPointer,
    _ keywords: UnsafeRawBufferPointer
  ) -> BackendConnection? {
    if !queue.isEmpty { sendQueued() }
    guard queue.isEmpty else { return nil }
    return sendAhead(header, method, arguments, keywords)
  }

  private func sendAhead(
    _ header: UnsafeRawBufferPointer, _ method: UnsafeRawBufferPointer, _ arguments: UnsafeRawBufferPointer,
    _ keywords: UnsafeRawBufferPointer
  ) -> BackendConnection? {
    while let peer = leastBusy() {
      if peer.send(header, method, arguments, keywords) { return peer }
      // Its pipe is full of what it does not read: the others take over until it has room again.
      peer.isFull = true
      ready.removeAll { $0 === peer }
    }
    return nil
  }

  /// Hands queued calls to backends with room, in their order, skipping those that have ended.
  func sendQueued() {
    while let number = queue.first {
      if let call = pending[number] {
        guard let peer = call.queued.withFrames({ sendAhead($0, $1, $2, $3) }) else { return }
        pending.update(number) {
          $0.peer = peer
          $0.queued = []
        }
      }
      queue.removeFirst()
    }
  }

  /// A full backend has room again.
  func drained(_ peer: BackendConnection) {
    peer.isFull = false
    refresh()
    sendQueued()
  }

  /// The less busy of two backends drawn by chance; with one or two, simply the less busy.
  private func leastBusy() -> BackendConnection? {
    guard ready.count > 1 else { return ready.first }
    var (first, second) = (0, 1)
    if ready.count > 2 {
      first = Int.random(in: 0..<ready.count, using: &generator)
      second = Int.random(in: 0..<(ready.count - 1), using: &generator)
      if second >= first { second += 1 }
    }
    let (a, b) = (ready[first], ready[second])
    if a.load == b.load { return Bool.random(using: &generator) ? a : b }
    return a.load < b.load ? a : b
  }

  private func refresh() {
    available = peers.filter(\.isUp)
    ready = available.filter { !$0.isFull }
  }

  /// A peer's connection came or went.
  func changed(_ peer: BackendConnection, _ event: Monitor.Event) {
    if peer.isUp, let old = peers.first(where: { $0.replacement === peer }) {
      old.replacement = nil
      peers.removeAll { $0 === old }
      peers.append(peer)
      old.isRetired = true
      retired.append(old)
      if old.inFlight == 0 { discard(old) }
    }
    refresh()
    logger.report(event, connected: available.count, endpoints: [peer.endpoint])
    if !peer.isUp { fail(.backendLost) { $0 === peer } }
    if available.isEmpty {
      fail(.noBackend) { $0 == nil }
      queue.removeAll()
    } else {
      sendQueued()
    }
  }

  func discard(_ peer: BackendConnection) {
    retired.removeAll { $0 === peer }
    peer.close()
  }

  /// Opens a fresh connection beside a silent one, which goes on until the fresh one stands and its own calls have ended.
  func replace(_ peer: BackendConnection) {
    peer.deadlinesInARow = 0
    guard !peer.isRetired, peer.replacement == nil, peer.isUp else { return }
    // A backend that is merely slower than its callers' patience is not reconnected all the time.
    if let last = replacements[peer.endpoint], loop.now - last < Self.betweenReplacements { return }
    replacements[peer.endpoint] = loop.now
    counters.replacedConnections += 1
    logger.warning(
      "a backend is silent; a fresh connection is tried", metadata: ["endpoints": "\(peer.endpoint)"])
    do {
      peer.replacement = try BackendConnection(peer.endpoint, client: self)
    } catch {
      logger.error("no fresh connection", metadata: ["endpoints": "\(peer.endpoint)", "error": "\(error)"])
    }
  }
}

extension [[UInt8]] {
  /// Lends the four frames of a queued call.
  fileprivate func withFrames<R>(
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> R
  ) -> R {
    self[0].withUnsafeBytes { a in
      self[1].withUnsafeBytes { b in
        self[2].withUnsafeBytes { c in self[3].withUnsafeBytes { d in body(a, b, c, d) } }
      }
    }
  }
}
