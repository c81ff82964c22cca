/// What a hub is subscribed to for good, and from which event on its history has all of that. A value without I/O.
///
/// What came on a topic before it was subscribed to has no number: a stream that goes on from an earlier event must be told that something
/// may be missing, unless all that it asks for was subscribed to then.
struct StandingTopics {
  private(set) var prefixes: Set<[UInt8]> = []
  /// The history has all of `prefixes` from that event on, and what begins like one of `former` before it too.
  private var since: UInt64 = 0
  private var former = TopicFilter.none

  /// These stand from the beginning.
  init(_ prefixes: Set<[UInt8]>) { self.prefixes = prefixes }

  /// Other prefixes stand from now on.
  mutating func use(_ prefixes: Set<[UInt8]>, _ history: EventHistory) {
    let (before, now) = (TopicFilter(prefixes: Array(self.prefixes)), TopicFilter(prefixes: Array(prefixes)))
    if !before.covers(now) {
      let whole = since <= history.first ? before : former
      former = TopicFilter(prefixes: whole.prefixes.filter { now.covers(TopicFilter(prefixes: [$0])) })
      since = history.end
    }
    self.prefixes = prefixes
  }

  /// Whether the history misses nothing that the filter asks for behind the event of that number, as far as it goes back.
  func areWhole(for filter: TopicFilter, after number: UInt64) -> Bool {
    // One of the number before may be from long before that event came.
    number >= since || former.covers(filter)
  }
}
