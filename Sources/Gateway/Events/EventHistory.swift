import DequeModule
import Reactor

/// The last events of a service, bounded by count, bytes and age; each is found by its sequence. A value without I/O.
///
/// The hub holds one: all that it received lately, whether a stream is open or not. Each feed holds another one as its
/// window: what its open streams are about to read. A stream that has fallen behind the window reads pages of the hub's.
struct EventHistory {
  /// Part of a history, as a stream asks for it that its feed's window cannot serve.
  enum Page: Sendable {
    /// Those that match among the events before `next`, which is where to go on.
    case events([Event], next: UInt64)
    /// The event asked for is no longer there; the oldest that is has the sequence `first`.
    case evicted(first: UInt64)
  }

  /// The bounds of a window: four full turns of a subscriber, and their bytes.
  private static let windowBounds: Configuration.History = {
    var bounds = Configuration.History()
    bounds.events = 1_024
    bounds.bytes = 4 << 20
    return bounds
  }()
  /// Events looked at for one page.
  static let pageReach = 1_024
  /// Events in one page at most.
  static let pageEvents = 64
  /// Their bytes, except that one event always fits.
  static let pageBytes = 32 << 10

  private let bounds: Configuration.History
  private let keepsNewest: Bool
  private var events: Deque<Event> = []
  /// What the events weigh.
  private(set) var bytes = 0
  /// The sequence of the oldest event kept, or of the next one while there is none.
  private(set) var first: UInt64

  private init(_ bounds: Configuration.History, first: UInt64, keepsNewest: Bool) {
    self.bounds = bounds
    self.first = first
    self.keepsNewest = keepsNewest
  }

  /// A hub's: the first event to come has the sequence 1.
  init(_ bounds: Configuration.History) { self.init(bounds, first: 1, keepsNewest: false) }

  /// A feed's: the first event to come has the sequence `first`. Bounded to 1,024 events and 4 MiB, but the newest one
  /// stays until the next comes, however long it is. Its events do not age.
  static func window(from first: UInt64) -> EventHistory {
    EventHistory(windowBounds, first: first, keepsNewest: true)
  }

  /// How many events are kept.
  var count: Int { events.count }
  /// The sequence that the next event will have.
  var end: UInt64 { first + UInt64(events.count) }
  /// When the oldest event kept will be too old; nil while there is none.
  var nextExpiry: Instant? { events.first.map { $0.time + bounds.age } }

  /// Takes the event that follows the last one, and lets go what is beyond the bounds.
  mutating func append(_ event: Event) {
    precondition(event.sequence == end, "a history has no holes")
    events.append(event)
    bytes += event.text.count
    while events.count > bounds.events || bytes > bounds.bytes {
      if keepsNewest, events.count == 1 { break }
      removeFirst()
    }
  }

  /// Lets go what is older than the bound.
  mutating func expire(at now: Instant) {
    while let expiry = nextExpiry, expiry < now { removeFirst() }
  }

  private mutating func removeFirst() {
    bytes -= events.removeFirst().text.count
    first += 1
  }

  /// The event of that sequence; nil when it is evicted or not there yet.
  subscript(sequence: UInt64) -> Event? {
    guard sequence >= first, sequence - first < UInt64(events.count) else { return nil }
    return events[Int(sequence - first)]
  }

  /// The next events from that sequence on that match, as many as a page takes. It has none when there are none yet, or
  /// when none among the next `pageReach` events matches.
  func page(from sequence: UInt64, matching filter: TopicFilter) -> Page {
    guard sequence >= first else { return .evicted(first: first) }
    var found: [Event] = []
    var bytes = 0
    var next = sequence
    while next - sequence < Self.pageReach, found.count < Self.pageEvents, let event = self[next] {
      if filter.matches(event) {
        if !found.isEmpty, bytes + event.text.count > Self.pageBytes { break }
        bytes += event.text.count
        found.append(event)
      }
      next += 1
    }
    return .events(found, next: next)
  }
}
