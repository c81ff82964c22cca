import Reactor

/// An endpoint that was unbound and that libzmq's I/O thread may still listen at: nobody else can bind to it, until the monitor says that it is
/// closed. Should that not come, as a thread that is busy has its time, whoever waits is told after a second.
///
/// The loop keeps it, as the handler of its timer, until then; also when the loop ends, they are told.
final class Departure: TimerHandler {
  private static let patience = Duration.seconds(1)

  /// What the monitor calls it.
  let address: String
  private let loop: Loop
  private var timer: Timer?
  private var waiting: [() -> Void] = []

  init(from address: String, on loop: Loop) {
    self.address = address
    self.loop = loop
    timer = loop.schedule(at: loop.now + Self.patience, self)
  }

  deinit { tell() }

  /// Tells that one too.
  func whenDone(_ done: @escaping () -> Void) { waiting.append(done) }

  /// Nobody listens there any more.
  func end() {
    if let timer = timer.take() { loop.cancel(timer) }
    tell()
  }

  func fired(_ timer: Timer) {
    self.timer = nil
    tell()
  }

  private func tell() { while let done = waiting.popLast() { done() } }
}
