import Reactor

/// What each signal that asks the program to stop leads to, by when it comes.
struct StopRequest {
  enum Step {
    case stop
    case nothing
    case end
  }

  /// One request may come as two signals at once: `timeout` and other wrappers pass on what the whole process group has got already.
  /// Nobody presses a key twice as fast.
  static let pause = Duration.milliseconds(50)

  private var first: Instant?

  /// A signal has come: the first asks to stop; one that comes after a pause is meant as a second one.
  mutating func received(at now: Instant) -> Step {
    guard let first else {
      first = now
      return .stop
    }
    return now - first < Self.pause ? .nothing : .end
  }
}
