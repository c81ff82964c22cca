import Reactor

/// A pause by a reactor's timer. Not `Task.sleep`: on Linux libdispatch at times does not watch its timer's descriptor again, and then
/// no sleep of the process ends any more.
final class Pause: TimerHandler {
  private let continuation: CheckedContinuation<Void, Never>

  private init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

  func fired(_ timer: Timer) { continuation.resume() }

  static func wait(_ duration: Duration) async {
    await withCheckedContinuation { continuation in
      Reactor.shared.submit {
        let loop = Reactor.shared.loop
        _ = loop.schedule(at: loop.now + duration, Pause(continuation))
      }
    }
  }
}
