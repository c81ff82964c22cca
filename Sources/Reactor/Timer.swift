/// What a timer wakes.
public protocol TimerHandler: AnyObject {
  /// The deadline has passed. Runs on the reactor's thread, once for each timer.
  func fired(_ timer: Timer)
}

/// Names one scheduled deadline. A name is never used twice, so a stale one cancels nothing.
public struct Timer: Hashable, Sendable {
  let slot: UInt32
  let generation: UInt32
  /// What the owner wants to know again when it fires, such as the number of a call.
  public let tag: UInt32
}
