import Reactor

/// Whether a socket has refused a message, until there may be room again. What the loop holds for it instead of the socket, which a
/// timer must not keep alive.
final class SendRetry: TimerHandler {
  /// After how long a refused send may be tried again where libzmq always says that there is room (`SocketKind.tellsRoom`).
  private static let pause = Duration.milliseconds(10)

  /// A message was refused, and the delegate is to hear of room.
  private(set) var isAwaited = false
  weak var socket: LoopSocket?
  private let loop: Loop
  private let isTimed: Bool
  private var timer: Timer?

  init(_ kind: SocketKind, on loop: Loop) { (isTimed, self.loop) = (!kind.tellsRoom, loop) }

  func refused() {
    isAwaited = true
    if isTimed, timer == nil, !loop.isStopped { timer = loop.schedule(at: loop.now + Self.pause, self) }
  }

  /// There may be room, or nobody asks any more. True when somebody has waited for it.
  @discardableResult
  func end() -> Bool {
    if let timer = timer.take() { loop.cancel(timer) }
    defer { isAwaited = false }
    return isAwaited
  }

  func fired(_ timer: Timer) { socket?.becameWritable() }
}
