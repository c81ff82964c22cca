import Reactor

/// Moves messages between two sockets of one loop, in both directions that they can.
final class ProxyEngine: MessageMover {
  /// After how long a message that found no room is offered again where the socket does not tell when there is some.
  private static let pause = Duration.milliseconds(10)
  private static let messagesPerTurn = 256

  /// While true, messages stay where they are.
  var isPaused = false { didSet { lookAgain() } }
  private let loop: Loop
  private let front: LoopSocket, back: LoopSocket, capture: LoopSocket?
  private let forth: ProxyLane?, rearward: ProxyLane?
  private let ended: (ZMQError?) -> Void
  private var retry: Timer?
  private var isStuck = false
  private var isRunning = false
  /// Those who took the sockets' messages before, and go on.
  private var others: [any MessageMover] = []

  /// Tells `ended` once when it cannot go on: a socket has closed or failed.
  init(
    _ front: LoopSocket, _ back: LoopSocket, capture: LoopSocket?, on loop: Loop, ended: @escaping (ZMQError?) -> Void
  ) throws(ZMQError) {
    (self.front, self.back, self.capture, self.loop, self.ended) = (front, back, capture, loop, ended)
    func lane(_ source: LoopSocket, _ sink: LoopSocket) -> ProxyLane? {
      source.kind.receives && sink.kind.sends ? ProxyLane(from: source, to: sink, capture: capture) : nil
    }
    (forth, rearward) = (lane(front, back), lane(back, front))
    guard front !== back, forth != nil || rearward != nil else {
      throw ZMQError(code: .invalid, call: "a proxy between two sockets of which none can send what the other receives")
    }
    guard [front, back].allSatisfy({ !($0.mover is ProxyEngine) && $0.isOpen }) else {
      throw ZMQError(code: .invalid, call: "a proxy with a socket that is closed, or in another proxy")
    }
    guard capture?.kind.sends != false, capture !== front, capture !== back else {
      throw ZMQError(
        code: .invalid, call: "a proxy that captures with a socket that cannot send, or is one of its two; open another"
      )
    }
  }

  func start() {
    isRunning = true
    others = [front, back].compactMap(\.mover)
    (front.mover, back.mover) = (self, self)
  }

  /// Lets go of the sockets, which stay as they are. Nothing is told after that.
  func stop() {
    guard isRunning else { return }
    isRunning = false
    if let retry = retry.take() { loop.cancel(retry) }
    for lane in [forth, rearward] { lane?.end() }
    for socket in [front, back] { socket.mover = others.first { $0 === socket.subscribers } }
    others = []
  }

  var statistics: ProxyStatistics {
    .init(forth: forth?.statistics ?? .init(), back: rearward?.statistics ?? .init())
  }

  func move() {
    for other in others { other.move() }
    guard isRunning, !isPaused, !isStuck else { return }
    do throws(ZMQError) {
      for lane in [forth, rearward] where try lane?.move(atMost: Self.messagesPerTurn) == .stuck { isStuck = true }
    } catch {
      return ended(error)
    }
    if isStuck { retry = loop.schedule(at: loop.now + Self.pause, ProxyRetry(self)) }
    // Each call may have used up the edge of a socket's descriptor.
    lookAgain()
    capture?.scheduleTurn()
  }

  func canMove() -> Bool {
    // Each socket is looked at once: what changes afterwards fires its descriptor.
    let (front, back) = (front.readiness() ?? [], back.readiness() ?? [])
    if others.contains(where: { $0.canMove() }) { return true }
    guard isRunning, !isPaused, !isStuck else { return false }
    return forth?.isReady(front, back) == true || rearward?.isReady(back, front) == true
  }

  func socketClosed() {
    guard isRunning else { return }
    ended(ZMQError(code: .notSocket, call: "a proxy whose socket was closed"))
  }

  fileprivate func retryNow() {
    (isStuck, retry) = (false, nil)
    lookAgain()
  }

  private func lookAgain() {
    front.scheduleTurn()
    back.scheduleTurn()
  }
}

/// What the timer of a stuck proxy holds instead of it, which it must not keep alive.
private final class ProxyRetry: TimerHandler {
  private weak var engine: ProxyEngine?

  init(_ engine: ProxyEngine) { self.engine = engine }

  func fired(_ timer: Timer) { engine?.retryNow() }
}
