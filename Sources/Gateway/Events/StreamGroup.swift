import Reactor

/// The streams of one feed that have the same filter: events are matched once for all of them, and wake them together.
final class StreamGroup {
  /// A heartbeat's period has so many ticks. Each stream has its heartbeat in one of them, so that no tick wakes them all.
  static let ticks = 16

  private var streams: [EventStream] = []
  /// For each of them, in which tick its heartbeat is.
  private var heartbeatTicks: [Int] = []
  private var places: [ObjectIdentifier: Int] = [:]

  var isEmpty: Bool { streams.isEmpty }

  /// Takes a stream in, with its heartbeat in that tick.
  func insert(_ stream: EventStream, tick: Int) {
    places[ObjectIdentifier(stream)] = streams.count
    streams.append(stream)
    heartbeatTicks.append(tick)
  }

  /// Lets a stream go; false when it is not here.
  func remove(_ stream: EventStream) -> Bool {
    guard let place = places.removeValue(forKey: ObjectIdentifier(stream)) else { return false }
    let (last, tick) = (streams.removeLast(), heartbeatTicks.removeLast())
    if last !== stream {
      streams[place] = last
      heartbeatTicks[place] = tick
      places[ObjectIdentifier(last)] = place
    }
    return true
  }

  /// Events have come, the first of them that matches with that sequence.
  func wake(at sequence: UInt64) {
    for stream in streams { stream.wake(at: sequence) }
  }

  /// Gives the streams of one tick their heartbeats, or their ends.
  func beat(_ tick: Int, at now: Instant) {
    for (stream, itsTick) in zip(streams, heartbeatTicks) where itsTick == tick { stream.beat(at: now) }
  }

  /// Hands out each stream.
  func forEach(_ body: (EventStream) -> Void) { streams.forEach(body) }
}
