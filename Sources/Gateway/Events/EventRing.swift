import DequeModule
import Reactor

/// The last events of a service, bounded by count, bytes and age; each is found by its sequence. A value without I/O.
///
/// Streams read from it, so whatever the history is bounded to, it holds what a stream needs that reads as fast as it can.
struct EventRing {
  /// Events that are kept for streams to read, however small the history is: four full turns of a subscriber.
  static let fewestEvents = 1_024
  /// Their bytes, likewise.
  static let fewestBytes = 4 << 20

  private let bounds: Configuration.History
  private var events: Deque<Event> = []
  private(set) var bytes = 0
  /// The sequence of the oldest event kept; meaningless while the ring is empty.
  private var first: UInt64 = 0

  init(_ bounds: Configuration.History) { self.bounds = bounds }

  var count: Int { events.count }
  /// The sequence that the next event will have; nil before the first.
  var end: UInt64? { events.isEmpty && first == 0 ? nil : first + UInt64(events.count) }

  /// Takes the event that follows the last one, and lets go what is beyond the bounds. The newest one always stays.
  ///
  /// When events between are missing, what came before them is of no use: it is forgotten, and streams that wanted it miss it.
  mutating func append(_ event: Event) {
    if event.sequence != first + UInt64(events.count) { removeAll() }
    if events.isEmpty { first = event.sequence }
    events.append(event)
    bytes += event.text.count
    while events.count > 1, let oldest = events.first, isBeyond(oldest, event.time) {
      events.removeFirst()
      bytes -= oldest.text.count
      first += 1
    }
  }

  private func isBeyond(_ oldest: Event, _ now: Instant) -> Bool {
    let isOver = events.count > max(bounds.events, Self.fewestEvents) || bytes > max(bounds.bytes, Self.fewestBytes)
    return isOver || events.count > Self.fewestEvents && now - oldest.time > bounds.age
  }

  /// Forgets everything: what follows need not follow in sequence.
  mutating func removeAll() {
    events.removeAll()
    bytes = 0
    first = 0
  }

  /// The event of that sequence; nil when it is evicted or not there yet.
  subscript(sequence: UInt64) -> Event? {
    guard sequence >= first, sequence - first < UInt64(events.count) else { return nil }
    return events[Int(sequence - first)]
  }

  /// How many events were evicted from that sequence on.
  func missed(since sequence: UInt64) -> UInt64 { first > sequence ? first - sequence : 0 }
}
