import DequeModule
import Reactor

/// The last events of a service, bounded by count, bytes and age; each is found by its sequence. A value without I/O.
///
/// There are two uses of it. The hub's is the history proper: all that came in lately, whether a stream is open or not. Each
/// feed's is its window: the newest events, which its streams read from. A stream that has fallen behind the window reads pages
/// of the hub's history.
struct EventHistory {
  /// The bounds of a window. A subscriber takes 256 messages in a turn: the events are those of four turns.
  private static let windowBounds: Configuration.History = {
    var bounds = Configuration.History()
    bounds.events = 1_024
    bounds.bytes = 4 << 20
    return bounds
  }()
  private var bounds: Configuration.History
  /// Whether the newest event stays when it alone is beyond the bounds.
  private let keepsNewest: Bool
  private var events: Deque<Event> = []
  /// The sequence of the newest event kept of each topic; nil where nobody asks for it.
  private var newest: [[UInt8]: UInt64]?
  /// What the events weigh.
  private(set) var bytes = 0
  /// The sequence of the oldest event kept, or of the next one while there is none.
  private(set) var first: UInt64

  private init(_ bounds: Configuration.History, first: UInt64, keepsNewest: Bool, conflates: Bool = false) {
    self.bounds = bounds
    self.first = first
    self.keepsNewest = keepsNewest
    newest = conflates ? [:] : nil
  }

  /// A hub's: the first event to come has the sequence 1. Its bounds hold without exception: an event that is longer than all
  /// that may be kept empties it, and streams that are up to date get that event from their windows nevertheless. `conflates`: it can
  /// make pages of the newest events only.
  init(_ bounds: Configuration.History, conflates: Bool = false) {
    self.init(bounds, first: 1, keepsNewest: false, conflates: conflates)
  }

  /// A feed's: the first event to come has the sequence `first`. Bounded to 1,024 events and 4 MiB, but the newest event
  /// stays, however long it is, for streams that have not read it yet. Its events do not age. `conflates`: it knows the newest event of
  /// each topic.
  static func window(from first: UInt64, conflates: Bool = false) -> EventHistory {
    EventHistory(windowBounds, first: first, keepsNewest: true, conflates: conflates)
  }

  /// Whether events are kept at all.
  var keepsEvents: Bool { bounds.keepsEvents }
  /// How many events are kept.
  var count: Int { events.count }
  /// The sequence that the next event will have.
  var end: UInt64 { first + UInt64(events.count) }
  /// When the oldest event kept will be too old; nil while there is none.
  var nextExpiry: Instant? { events.first.map { $0.time + bounds.age } }

  /// Takes the event that follows the last one. What is then beyond the bounds goes with the next `trim`.
  ///
  /// An event that is missing or comes twice is a programming error and traps. The hub numbers its events by `end`; a feed gets each
  /// of them once and in order, as messages between two shards keep their order, from the event on that `opened` names.
  mutating func append(_ event: Event) {
    precondition(event.sequence == end, "an event is missing or came twice")
    events.append(event)
    bytes += event.text.count
    if newest != nil, let topic = event.wholeTopic { newest?[topic] = event.sequence }
  }

  /// Lets go what is beyond the bounds, oldest first.
  mutating func trim() {
    while events.count > bounds.events || bytes > bounds.bytes {
      if keepsNewest, events.count == 1 { break }
      removeFirst()
    }
  }

  /// Comes nearer to other bounds; at most so many events are let go for it. True when they hold.
  mutating func approach(_ wanted: Configuration.History, atMost limit: Int) -> Bool {
    var left = limit
    while left > 0, events.count > wanted.events || bytes > wanted.bytes {
      removeFirst()
      left -= 1
    }
    bounds = wanted
    // Those that are kept still go with the next steps, and not with the next event.
    (bounds.events, bounds.bytes) = (max(wanted.events, events.count), max(wanted.bytes, bytes))
    return bounds == wanted
  }

  /// Knows the newest event of each topic from now on, among those that come.
  mutating func beginToConflate() { if newest == nil { newest = [:] } }

  /// Lets go what is older than the bound, at most so many events: more stay until the next time.
  mutating func expire(at now: Instant, atMost limit: Int = .max) {
    var left = limit
    while left > 0, let expiry = nextExpiry, expiry < now {
      removeFirst()
      left -= 1
    }
  }

  /// Lets the oldest event go; false when there is none.
  mutating func removeOldest() -> Bool {
    guard !events.isEmpty else { return false }
    removeFirst()
    return true
  }

  private mutating func removeFirst() {
    let event = events.removeFirst()
    bytes -= event.text.count
    first += 1
    if newest != nil, let topic = event.wholeTopic, newest?[topic] == event.sequence { newest?[topic] = nil }
  }

  /// The event of that sequence; nil when it is evicted or not there yet.
  subscript(sequence: UInt64) -> Event? {
    guard sequence >= first, sequence - first < UInt64(events.count) else { return nil }
    return events[Int(sequence - first)]
  }

  /// The next events from that sequence on that match, as many as a page takes. When it conflates, it has of each topic the newest event at
  /// most.
  func page(from sequence: UInt64, matching filter: TopicFilter, conflating: Bool = false) -> EventPage {
    var page = EventPage(from: max(sequence, first))
    while !page.isFull, let event = self[page.next] {
      if !filter.matches(event) {
        page.pass(event.sequence)
      } else if conflating, isSuperseded(event) {
        page.supersede(event.sequence)
      } else if !page.take(event) {
        break
      }
    }
    return page
  }

  /// Whether a later event of the same topic is kept. The event may be one that is not kept itself. False where nobody conflates.
  func isSuperseded(_ event: Event) -> Bool {
    guard newest != nil, let topic = event.wholeTopic, let newest = newest?[topic] else { return false }
    return newest > event.sequence
  }
}
