import HTTPServer
import Reactor

/// One client's stream of a watched call: which state it has sent, and the rest of what it is sending.
final class WatchStream: BodyStream, PendingWork, TimerHandler {
  let endsByItself = false
  /// How often its client wants to look.
  let interval: Duration
  /// The result that the client has already.
  private let lastID: String?
  /// That its client may have it.
  private let permit: StreamPermit
  /// Who is answered; nil when that is done, or when the client has left.
  private var request: GatewayRequest?
  private var exchange: Exchange?
  /// When its credentials end; nil where they do not by themselves.
  private var expiry: Timer?
  /// Why it ends, for another reason than what its permit knows; nil while it does not.
  private var ending: Notice.Farewell?
  /// Nil before it is among the streams of a call, and when it is closed.
  private var call: WatchedCall?
  /// How many states of the call it has sent, those that it passed over counted.
  private var version = 0
  private var text: [UInt8] = []
  private var offset = 0
  private var isEnding = false

  /// Throws when its client may have no more streams.
  init(_ request: GatewayRequest, every interval: Duration, after lastID: String?) throws(Problem) {
    permit = try StreamPermit(request)
    self.request = request
    self.interval = interval
    self.lastID = lastID
  }

  // MARK: The call tells

  /// It is answered when the first call has ended.
  func waits(for call: WatchedCall) {
    self.call = call
    request?.waits(for: self)
  }

  /// The stream begins: with the result of that id, unless its client has it already.
  func begin(_ call: WatchedCall, at id: String) {
    guard let request = request.take() else { return }
    self.call = call
    exchange = request.exchange
    text = Notice.opening(retry: call.settings.retry).lines
    version = lastID == id ? call.version : call.version - 1
    if call.isDraining { ending = .draining }
    // Safe: the permit is given back before the stream goes, and calls nobody from then on.
    permit.opened { [unowned self] in wake() }
    expiry = permit.schedule(self, on: call.loop)
    request.answer(200, StreamResponder.type, headers: StreamResponder.headers, stream: self)
  }

  /// There is no stream: the request is answered with that.
  func refuse(_ problem: Problem) {
    permit.giveBack()
    call = nil
    request.take()?.answer(problem)
  }

  /// Its credentials end.
  func fired(_ timer: Timer) {
    expiry = nil
    end(because: .expired)
  }

  /// It ends with `bye` or `auth`, when it has begun.
  func end(because reason: Notice.Farewell) {
    if ending == nil || reason.isOfCredentials { ending = reason }
    wake()
  }

  /// There is another state, or its permit may have ended.
  func wake() { exchange?.wake() }

  /// A comment, unless something is being sent anyway.
  func sendHeartbeat() {
    guard let exchange, offset == text.count, version == call?.version, !isEnding else { return }
    write(Notice.heartbeat().lines)
    exchange.wake()
  }

  // MARK: The exchange reads

  func read(into room: UnsafeMutableRawBufferPointer) -> StreamRead {
    var free = room
    repeat {
      offset += text.withUnsafeBytes { free.fill(with: $0, from: offset) }
      if offset < text.count { break }
    } while advance()
    if free.count < room.count { return .bytes(room.count - free.count) }
    return isEnding ? .end : .nothing
  }

  /// Finds the next thing to write; false when there is none for now.
  private func advance() -> Bool {
    guard let call, !isEnding else { return false }
    let reason = permit.ending ?? ending
    if version < call.version, reason?.isOfCredentials != true {
      version = call.version
      write(call.event)
      return true
    }
    guard let reason else { return false }
    isEnding = true
    write(Notice.farewell(reason, retry: call.settings.retry).lines)
    return true
  }

  private func write(_ bytes: [UInt8]) {
    text = bytes
    offset = 0
  }

  /// The stream is over, whoever ended it.
  func closed() {
    exchange = nil
    permit.giveBack()
    guard let call = call.take() else { return }
    if let expiry = expiry.take() { call.loop.cancel(expiry) }
    call.remove(self)
  }

  /// The client has left before the stream began.
  func cancel() {
    request = nil
    permit.giveBack()
    call.take()?.remove(self)
  }
}
