/// Some events for one stream, as many as are handed over at once: of the history, or of the last values of topics.
///
/// What a stream that has fallen behind its feed's window gets when it asks for the next events, and one that begins in the past. It may be
/// empty: when there is nothing yet, or nothing for the stream among those that were looked at.
struct EventPage: Sendable {
  /// Events looked at for one page.
  static let reach = 1_024
  /// Events in one page at most.
  static let mostEvents = 64
  /// The bytes of one page at most, but a page holds one event however long it is.
  static let mostBytes = 32 << 10

  /// What stands in a page.
  enum Item: Sendable {
    case event(Event)
    /// So many in a row match, others aside, and are left out, as a later event of their topic is kept.
    case superseded(Int)
  }

  /// The sequence of the first event that was to be looked at: the one asked for, or the oldest kept when that is gone.
  let first: UInt64
  /// Those that match, in their order.
  private(set) var items: [Item] = []
  /// All before this one have been looked at: the stream goes on there.
  private(set) var next: UInt64
  private var looked = 0
  private var events = 0
  private var bytes = 0

  /// An empty page.
  init(from first: UInt64) {
    self.first = first
    next = first
  }

  /// Whether no more is looked at for it.
  var isFull: Bool { looked == Self.reach || events == Self.mostEvents }

  /// Takes an event; false when there is no room for it, and the next page begins with it.
  mutating func take(_ event: Event) -> Bool {
    guard events == 0 || bytes + event.text.count <= Self.mostBytes else { return false }
    bytes += event.text.count
    events += 1
    items.append(.event(event))
    pass(event.sequence)
    return true
  }

  /// Leaves out an event that has been superseded.
  mutating func supersede(_ sequence: UInt64) {
    if case .superseded(let count)? = items.last {
      items[items.count - 1] = .superseded(count + 1)
    } else {
      items.append(.superseded(1))
    }
    pass(sequence)
  }

  /// Leaves out an event that does not match, or is no longer there.
  mutating func pass(_ sequence: UInt64) {
    looked += 1
    next = sequence + 1
  }

  /// There is nothing more before that event.
  mutating func end(at sequence: UInt64) { next = sequence }
}
