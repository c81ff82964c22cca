import Reactor

/// Has the calls that are made while replies are handed over wait for a turn of the loop, behind all replies that came with them: then they
/// leave together, for which libzmq's own thread wakes once and not for each.
final class CallGathering: Source {
  /// A reply is being handed over.
  private var isReplying = false
  /// To who sends what waits.
  private let link: EngineLink
  private let loop: Loop
  private var watch: Watch?
  private var isDue = false

  init(for link: EngineLink, on loop: Loop) {
    self.link = link
    self.loop = loop
  }

  /// Hands a reply over.
  @inline(__always)
  func during(_ replying: () -> Void) {
    isReplying = true
    replying()
    isReplying = false
  }

  /// Whether a call that is made now is to wait. Then the turn will come.
  func takesCalls() -> Bool {
    guard isReplying else { return false }
    if watch == nil { watch = try? loop.watch(nil, self) }
    isDue = watch != nil
    watch?.schedule()
    return isDue
  }

  func turn(_ events: PollEvents) {
    isDue = false
    link.engine?.sendQueued()
  }

  func isReady() -> Bool { isDue }
}
