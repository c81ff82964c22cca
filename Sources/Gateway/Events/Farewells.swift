import Reactor

/// The ends of all streams of a feed when the gateway stops. Few end at once; many end one after the other over most of the grace, so that
/// their clients do not all come back at the same moment.
final class Farewells: TimerHandler {
  /// So many end together in any case.
  private static let fewest = 64
  private static let interval = Duration.milliseconds(100)

  private var streams: ArraySlice<EventStream>
  private let perTick: Int
  private let loop: Loop
  private var timer: Timer?

  /// Asks the first streams to end, and the others by and by: the last when four fifths of the grace are over, or before.
  init(to streams: [EventStream], within grace: Duration, on loop: Loop) {
    self.streams = streams[...]
    self.loop = loop
    let ticks = max(1, Int(grace * 0.8 / Self.interval))
    perTick = max(Self.fewest, (streams.count + ticks - 1) / ticks)
    endNext()
  }

  /// Asks no more of them.
  func cancel() {
    streams = []
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  func fired(_ timer: Timer) { endNext() }

  private func endNext() {
    timer = nil
    for stream in streams.prefix(perTick) { stream.end(because: .draining) }
    streams = streams.dropFirst(perTick)
    if !streams.isEmpty { timer = loop.schedule(at: loop.now + Self.interval, self) }
  }
}
