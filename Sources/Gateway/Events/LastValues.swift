import DequeModule

/// The last published call of each topic of a service, bounded by topics and bytes: those go first whose topic has been silent longest.
/// A value without I/O.
///
/// They are found by their topic, and in the order of their sequences, so that a stream gets those that match before all that comes
/// later: a topic that has a newer call meanwhile is passed over there, and that call comes in its own place.
struct LastValues {
  /// Bytes of a value besides its lines and its topic, roughly.
  private static let overhead = 256

  private var bounds: Configuration.LastValues
  private var events: [[UInt8]: Event] = [:]
  /// By sequence; among them some whose topic has a newer one, which are passed over.
  private var order: Deque<(sequence: UInt64, topic: [UInt8])> = []
  /// What the values weigh.
  private(set) var bytes = 0

  init(_ bounds: Configuration.LastValues) { self.bounds = bounds }

  /// How many topics have a value.
  var count: Int { events.count }

  /// The last call on exactly that topic.
  subscript(topic: [UInt8]) -> Event? { events[topic] }

  /// Takes a call that came after all others. One that is longer than all that may be kept leaves its topic without a value, and so does
  /// one whose topic is longer than anybody can ask for.
  mutating func keep(_ event: Event) {
    guard let topic = event.wholeTopic else { return }
    if let old = events.removeValue(forKey: topic) { bytes -= Self.weight(old) }
    guard Self.weight(event) <= bounds.bytes else { return }
    events[topic] = event
    bytes += Self.weight(event)
    order.append((event.sequence, topic))
    while events.count > bounds.topics || bytes > bounds.bytes { _ = removeOldest() }
    if order.count > 2 * events.count + 64 {
      order.removeAll { events[$0.topic]?.sequence != $0.sequence }
    }
  }

  /// Comes nearer to other bounds, nil being none at all; at most so many values are let go for it. True when they hold.
  mutating func approach(_ wanted: Configuration.LastValues?, atMost limit: Int) -> Bool {
    let (topics, most) = (wanted?.topics ?? 0, wanted?.bytes ?? 0)
    var left = limit
    while left > 0, events.count > topics || bytes > most {
      _ = removeOldest()
      left -= 1
    }
    // Those that are kept still go with the next steps, and not with the next call.
    (bounds.topics, bounds.bytes) = (max(topics, events.count), max(most, bytes))
    return bounds.topics == topics && bounds.bytes == most
  }

  /// Lets the value go whose topic has been silent longest; false when there is none.
  mutating func removeOldest() -> Bool {
    while let oldest = order.popFirst() {
      guard let event = events[oldest.topic], event.sequence == oldest.sequence else { continue }
      bytes -= Self.weight(event)
      events[oldest.topic] = nil
      return true
    }
    return false
  }

  /// Values from that sequence on that match and came before `end`, as many as a page takes.
  func page(from first: UInt64, before end: UInt64, matching filter: TopicFilter) -> EventPage {
    var (low, high) = (order.startIndex, order.endIndex)
    while low < high {
      let middle = (low + high) / 2
      if order[middle].sequence < first { low = middle + 1 } else { high = middle }
    }
    var page = EventPage(from: first)
    while low < order.endIndex, order[low].sequence < end {
      let (sequence, topic) = order[low]
      if page.isFull { return page }
      if let event = events[topic], event.sequence == sequence, filter.matches(event) {
        if !page.take(event) { return page }
      } else {
        page.pass(sequence)
      }
      low += 1
    }
    page.end(at: end)
    return page
  }

  private static func weight(_ event: Event) -> Int { event.text.count + (event.topic?.count ?? 0) + overhead }
}
