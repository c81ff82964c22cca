import Reactor

/// An endpoint that this process has ceased to listen at, where libzmq's I/O thread may listen still: nobody else can bind to it so long. It looks
/// again and again; should nobody let go of it, whoever waits is told after a second.
///
/// The loop keeps it, as the handler of its timer, until then; also when the loop ends, they are told.
final class Departure: TimerHandler {
  private static let patience = Duration.seconds(1)
  private static let pause = Duration.milliseconds(1)

  private let place: BoundPlace
  private let loop: Loop
  private let end: Instant
  private var waiting: [() -> Void] = []

  init(from place: BoundPlace, on loop: Loop) {
    (self.place, self.loop, end) = (place, loop, loop.now + Self.patience)
    _ = loop.schedule(at: loop.now, self)
  }

  deinit { tell() }

  /// Tells that one too.
  func whenDone(_ done: @escaping () -> Void) { waiting.append(done) }

  func fired(_ timer: Timer) {
    guard loop.now < end, !loop.isStopped, place.isTaken else { return tell() }
    _ = loop.schedule(at: loop.now + Self.pause, self)
  }

  private func tell() { while let done = waiting.popLast() { done() } }
}
